import { unescape as decode } from 'node:querystring'
import { Webhook } from 'standardwebhooks'
import { z } from 'zod'
import type { Processor } from '../../processor.ts'
import { PATH } from '../event-path.ts'
import { messageId } from '../message-id.ts'
import { checkOptions, ON } from '../processor-options.ts'
import { checkReachable } from './check-reachable.ts'
import { encode, type MapEvent, mapFields } from './forward-body.ts'
import { post } from './forward-post.ts'

/** The fields sent by default: the asset, and the values given with its upload. */
const FIELDS = [
  'asset_id',
  'public_id',
  'resource_type',
  'type',
  'version',
  'format',
  'secure_url',
  'asset_folder',
  'display_name',
  'original_filename',
  'upload_preset',
  'tags',
  'context',
  'metadata'
]

/** Headers that `forward` or HTTP itself sets. */
const RESERVED_HEADERS = /^(?:webhook-.*|content-type|content-length|transfer-encoding|host|connection)$/i

/** Minimum length of text that is masked in errors: shorter text may be part of ordinary words. */
const MIN_SECRET = 8

const Options = z
  .strictObject({
    name: z.string().default('forward'),
    url: z.url({ protocol: /^https?$/ }),
    /** Allow `http:` to other hosts than this machine. */
    allowHttp: z.boolean().default(false),
    on: ON,
    /** Paths of the fields to send. (Default: {@link FIELDS}) */
    fields: z.array(PATH).min(1).optional(),
    /** Builds the body, instead of `fields`. */
    map: z.custom<MapEvent>((value) => typeof value === 'function', 'must be a function').optional(),
    /** Added to every request. */
    headers: z.record(z.string(), z.string()).default({}),
    /** Maximum time for a response. */
    timeoutSeconds: z.number().positive().max(240).default(15)
  })
  .refine(({ fields, map }) => !(fields && map), { error: 'set either `fields` or `map`, not both' })
  .refine(({ url }) => !hasCredentials(URL.parse(url)), {
    path: ['url'],
    error: 'must not contain credentials; set the header authorization in `headers`'
  })
  .refine(({ url, allowHttp }) => allowHttp || isEncryptedOrLocal(URL.parse(url)), {
    path: ['url'],
    error: 'must begin with https://, unless it is on this machine or `allowHttp` is true'
  })
  .refine(({ headers }) => areHeaders(headers), {
    path: ['headers'],
    error: 'must be valid HTTP headers, without those that `forward` sets, such as content-type'
  })

/** @see forward */
export type ForwardOptions = z.input<typeof Options>

/**
 * Posts uploads to another system, signed with FORWARD_SECRET as Standard Webhooks defines. Costs no
 * Cloudinary calls.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID
 */
export function forward(options: ForwardOptions, clock: () => number = Date.now): Processor {
  const { name, on, timeoutSeconds, ...checked } = checkOptions('forward', Options, options)
  const url = new URL(checked.url)
  // lower case, as the headers set below
  const headers = Object.fromEntries(new Headers(checked.headers))
  const map = checked.map ?? mapFields(checked.fields ?? FIELDS)
  let started: { webhook: Webhook; secrets: readonly string[] } | undefined
  return {
    name,
    on,
    requires: ['FORWARD_SECRET'],
    start({ config }) {
      const secret = config.FORWARD_SECRET!
      started = { webhook: new Webhook(secret), secrets: secretsIn(secret, headers, url) }
    },
    async check({ signal }) {
      await checkReachable(url, signal)
      return [{ level: 'ok', message: `${url.origin} is reachable` }]
    },
    async handle(event, { signal }) {
      const mapped = await map(event)
      if (mapped === undefined) return 'skipped: `map` returned undefined'
      const body = encode(mapped)
      const { webhook, secrets } = started!
      const id = messageId(event, name)
      const sentAt = new Date(clock())
      const status = await post({
        url,
        headers: {
          'user-agent': 'cloudinary-listener',
          ...headers,
          'content-type': 'application/json',
          'webhook-id': id,
          'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1000)),
          'webhook-signature': webhook.sign(id, sentAt, body)
        },
        body,
        timeoutSeconds,
        secrets,
        signal,
        clock
      })
      // the path of a webhook URL may be a secret
      return `sent to ${url.origin}: ${status}`
    }
  }
}

/**
 * Returns texts to mask in errors, longest first. Of the URL only the origin is not masked: for some
 * receivers the path is the secret.
 */
function secretsIn(secret: string, headers: Record<string, string>, url: URL): string[] {
  const { pathname, search, searchParams, hash } = url
  const segments = pathname.split('/')
  const values = Object.values(headers)
  return [
    secret.replace('whsec_', ''),
    ...values,
    ...values.flatMap((value) => value.split(' ')),
    pathname,
    ...segments,
    ...segments.map(decode),
    ...searchParams.values(),
    ...search.split(/[?&=]/),
    hash.slice(1)
  ]
    .filter(({ length }) => length >= MIN_SECRET)
    .sort((one, other) => other.length - one.length)
}

const hasCredentials = (url: URL | null) => Boolean(url?.username || url?.password)

/** True for an invalid URL too, which has an error of its own. */
function isEncryptedOrLocal(url: URL | null): boolean {
  return url?.protocol !== 'http:' || /^(?:localhost|\[::1\]|127(?:\.\d+){3})$/.test(url.hostname)
}

function areHeaders(headers: Record<string, string>): boolean {
  try {
    return ![...new Headers(headers).keys()].some((name) => RESERVED_HEADERS.test(name))
  } catch {
    return false
  }
}
