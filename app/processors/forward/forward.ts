import { Webhook } from 'standardwebhooks'
import { z } from 'zod'
import type { Processor } from '../../processor.ts'
import { CLOUD_EVENT_TYPE, toCloudEvent } from '../cloud-event.ts'
import { PATH } from '../event-path.ts'
import { checkReachable } from '../http/check-reachable.ts'
import { callHttp } from '../http/http-call.ts'
import { HTTP_URL, httpHeaders, isEncryptedOrLocal } from '../http/http-options.ts'
import { secretsIn } from '../http/http-secrets.ts'
import { messageId } from '../message-id.ts'
import { checkOptions, ON } from '../processor-options.ts'
import { encode, type MapEvent, mapFields } from './forward-body.ts'

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

/** Beginning of the error codes. */
const CODE = 'FORWARD'

const Options = z
  .strictObject({
    name: z.string().default('forward'),
    url: HTTP_URL,
    /** Allow `http:` to other hosts than this machine. */
    allowHttp: z.boolean().default(false),
    on: ON,
    /** Paths of the fields to send. (Default: {@link FIELDS}) */
    fields: z.array(PATH).min(1).optional(),
    /** Builds the body, instead of `fields`. */
    map: z.custom<MapEvent>((value) => typeof value === 'function', 'must be a function').optional(),
    /** `cloudevents`: the body is a CloudEvent in structured mode, and `fields` or `map` give its `data`. */
    format: z.enum(['standard-webhooks', 'cloudevents']).default('standard-webhooks'),
    /** Headers to add to every request. */
    headers: httpHeaders(/^webhook-/),
    /** Maximum time for a response. */
    timeoutSeconds: z.number().positive().max(240).default(15)
  })
  .refine(({ fields, map }) => !(fields && map), { error: 'set either `fields` or `map`, not both' })
  .refine(({ url, allowHttp }) => allowHttp || isEncryptedOrLocal(url), {
    path: ['url'],
    error: 'must begin with https://, unless it is on this machine or `allowHttp` is true'
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
  const { name, on, format, timeoutSeconds, ...checked } = checkOptions('forward', Options, options)
  const url = new URL(checked.url)
  // lower case, as the headers set below
  const headers = Object.fromEntries(new Headers(checked.headers))
  const map = checked.map ?? mapFields(checked.fields ?? FIELDS)
  const isCloudEvent = format === 'cloudevents'
  const dataOf = (mapped: object) => (checked.map ? mapped : (mapped as { data: unknown }).data)
  let started: { webhook: Webhook; secrets: readonly string[] } | undefined
  return {
    name,
    on,
    requires: ['FORWARD_SECRET'],
    start({ config }) {
      const secret = config.FORWARD_SECRET!
      started = {
        webhook: new Webhook(secret),
        secrets: secretsIn(url, headers, [secret.replace('whsec_', '')])
      }
    },
    async check({ signal }) {
      await checkReachable(url, signal, { code: CODE, setting: '`url`' })
      return [{ level: 'ok', message: `${url.origin} is reachable` }]
    },
    async handle(event, { signal }) {
      const mapped = await map(event)
      if (mapped === undefined) return 'skipped: `map` returned undefined'
      const body = encode(isCloudEvent ? toCloudEvent(event, dataOf(mapped)) : mapped)
      const { webhook, secrets } = started!
      const id = messageId(event, name)
      const sentAt = new Date(clock())
      const { status } = await callHttp({
        code: CODE,
        remedyFor,
        url,
        setting: '`url`',
        headers: {
          'user-agent': 'cloudinary-listener',
          ...headers,
          'content-type': isCloudEvent ? CLOUD_EVENT_TYPE : 'application/json',
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

function remedyFor(status: number): string | undefined {
  if (status === 401 || status === 403) return 'check that it verifies with the same FORWARD_SECRET'
  if (status === 410) return 'it does not accept webhooks any more: remove `forward` from the configuration'
  return undefined
}
