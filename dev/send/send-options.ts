import { parseArgs } from 'node:util'
import { type CloudinaryEnvironment, parseCloudinaryUrl } from '../../app/credentials/cloudinary-url.ts'
import { ListenerError } from '../../app/errors.ts'
import { EVENT_TYPES, type EventType, OWN_TYPES } from '../../app/ingest/event.ts'
import { LOCAL_CLOUDINARY } from '../../app/testing/defaults.ts'
import { RESOURCE_TYPES, type ResourceType } from '../../app/testing/samples/sample-asset.ts'
import { MAX_ASSETS } from '../../app/testing/samples.ts'

/** Deliberate errors of a signature, and how the listener answers them. */
export const DEFECTS = {
  tampered: {
    code: 'SIGNATURE_INVALID',
    description: 'one byte of the body is changed after signing',
    meaning: 'the signature does not match the body'
  },
  stale: {
    code: 'SIGNATURE_EXPIRED',
    description: 'signed 3 hours ago',
    meaning: 'the timestamp is older than SIGNATURE_TOLERANCE_SECONDS (2 hours by default)'
  },
  future: {
    code: 'SIGNATURE_EXPIRED',
    description: 'signed 1 hour ahead of the clock',
    meaning: 'the timestamp is more than 300 s in the future'
  },
  unsigned: {
    code: 'SIGNATURE_MISSING',
    description: 'without the X-Cld-Signature and X-Cld-Timestamp headers',
    meaning: 'there is no signature to check, or its timestamp is not 10 digits'
  }
} as const

export type Defect = keyof typeof DEFECTS

/** Offset of the signature's time from now, in seconds. */
export function signingOffset(defect: Defect | undefined): number {
  if (defect === 'stale') return -3 * 60 * 60
  return defect === 'future' ? 60 * 60 : 0
}

/** The key that signs a notification. */
export interface Credentials {
  cloudName: string
  apiKey: string
  apiSecret: string
  algorithm: 'sha1' | 'sha256'
}

export interface SendOptions {
  type: EventType
  variant?: string
  publicId?: string
  resourceType?: ResourceType
  /** Number of assets in one notification. */
  resources: number
  /** Number of notifications. */
  count: number
  /** Number of requests in flight at once. */
  concurrency: number
  /** File to send instead of a sample. */
  file?: string
  url: string
  credentials: Credentials
  defect?: Defect
  /** True if the change is the listener's own. */
  own: boolean
  source: 'api' | 'ui'
}

export type Command =
  | { action: 'help' }
  | { action: 'list' }
  | { action: 'send'; options: SendOptions }
  | { action: 'refuse'; message: string }

const NOTIFIED_TYPES = EVENT_TYPES.filter((type) => !OWN_TYPES.some((own) => own === type))

const MAX_NOTIFICATIONS = 1_000_000
const MAX_CONCURRENCY = 1000

/** Reads the command line and the environment. Errors become a one-line message. */
export function readCommand(args: readonly string[], env: NodeJS.ProcessEnv): Command {
  try {
    const { values, positionals } = parse(args)
    if (values.help) return { action: 'help' }
    if (values.list) return { action: 'list' }
    if (values.own && values.ui) throw refusal('Choose one of --own and --ui')
    if (positionals.length > 1) throw refusal(`Expected one TYPE, got: ${positionals.join(' ')}`)
    return {
      action: 'send',
      options: {
        type: oneOf(NOTIFIED_TYPES, positionals[0] ?? 'upload', 'TYPE', '--list shows the types'),
        variant: values.variant,
        publicId: values['public-id'],
        resourceType: resourceType(values['resource-type']),
        resources: whole(values.resources, '--resources', MAX_ASSETS),
        count: whole(values.count, '--count', MAX_NOTIFICATIONS),
        concurrency: whole(values.concurrency, '--concurrency', MAX_CONCURRENCY),
        file: values.file,
        url: httpUrl(values.url ?? `http://127.0.0.1:${env.PORT || 8080}/webhooks/cloudinary`),
        credentials: credentials(values, env),
        defect: defect(values),
        own: values.own,
        source: values.ui ? 'ui' : 'api'
      }
    }
  } catch (error) {
    if (error instanceof ListenerError || isFromParseArgs(error)) {
      return { action: 'refuse', message: error.message }
    }
    throw error
  }
}

const refusal = (message: string) => new ListenerError('SEND_OPTIONS', message)

function isFromParseArgs(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}

type Values = ReturnType<typeof parse>['values']

function parse(args: readonly string[]) {
  const flag = { type: 'boolean', default: false } as const
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      variant: { type: 'string' },
      'public-id': { type: 'string' },
      'resource-type': { type: 'string' },
      resources: { type: 'string', default: '1' },
      count: { type: 'string', default: '1' },
      concurrency: { type: 'string', default: '20' },
      file: { type: 'string' },
      url: { type: 'string' },
      cloud: { type: 'string' },
      key: { type: 'string' },
      secret: { type: 'string' },
      sha256: flag,
      own: flag,
      ui: flag,
      tampered: flag,
      stale: flag,
      future: flag,
      unsigned: flag,
      list: flag,
      help: { ...flag, short: 'h' }
    }
  })
}

function credentials(values: Values, env: NodeJS.ProcessEnv): Credentials {
  const configured: CloudinaryEnvironment = env.CLOUDINARY_URL
    ? parseCloudinaryUrl(env.CLOUDINARY_URL)
    : LOCAL_CLOUDINARY
  return {
    cloudName: values.cloud ?? configured.cloudName,
    apiKey: values.key ?? configured.apiKey,
    apiSecret: values.secret ?? configured.apiSecret,
    algorithm: values.sha256 ? 'sha256' : (configured.signatureAlgorithm ?? 'sha1')
  }
}

function defect(values: Values): Defect | undefined {
  const chosen = (Object.keys(DEFECTS) as Defect[]).filter((name) => values[name])
  if (chosen.length > 1) throw refusal(`Choose one of --${chosen.join(', --')}`)
  return chosen[0]
}

function resourceType(value: string | undefined): ResourceType | undefined {
  return value === undefined ? undefined : oneOf(RESOURCE_TYPES, value, '--resource-type')
}

function whole(text: string, name: string, max: number): number {
  const value = /^\d{1,7}$/.test(text) ? Number(text) : 0
  if (value < 1 || value > max)
    throw refusal(`${name} must be a whole number from 1 to ${max}, not "${text}"`)
  return value
}

function oneOf<const T extends string>(known: readonly T[], value: string, name: string, hint?: string): T {
  const found = known.find((each) => each === value)
  if (found !== undefined) return found
  throw refusal(`${name} "${value}" does not exist: ${hint ?? `use one of ${known.join(', ')}`}`)
}

function httpUrl(text: string): string {
  if (/^https?:$/.test(URL.parse(text)?.protocol ?? '')) return text
  throw refusal(`The listener's address (--url or PORT) must be an http or https URL, not "${text}"`)
}
