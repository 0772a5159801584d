import { unescape as decode } from 'node:querystring'
import { Webhook } from 'standardwebhooks'
import { z } from 'zod'
import { EVENT_TYPES } from '../../ingest/event.ts'
import type { Processor } from '../../processor.ts'
import { PATH } from '../event-path.ts'
import { messageId } from '../message-id.ts'
import { checkOptions } from '../processor-options.ts'
import { reach } from './check-reachable.ts'
import { encode, type MapEvent, mapFields } from './forward-body.ts'
import { post } from './forward-post.ts'

/** What of a notification says how an asset is to be tagged: the asset, and what came with its upload. */
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

/** Headers that this sets itself, or that say how a body is carried. */
const OWN_HEADERS = /^(?:webhook-.*|content-type|content-length|transfer-encoding|host|connection)$/i

/** What is shorter is no secret, and may be part of any word. */
const SHORTEST_SECRET = 8

const Options = z
  .strictObject({
    name: z.string().default('forward'),
    /** Where to post to. */
    url: z.url({ protocol: /^https?$/ }),
    /** Post unencrypted to others than this machine as well. */
    allowHttp: z.boolean().default(false),
    on: z
      .array(z.enum([...EVENT_TYPES, '*']))
      .min(1)
      .default(['upload']),
    /** What is sent of a notification; default: the asset, and what came with its upload. */
    fields: z.array(PATH).min(1).optional(),
    /** Makes what is sent; undefined: nothing is. */
    map: z.custom<MapEvent>((value) => typeof value === 'function', 'must be a function').optional(),
    /** Sent with every request. */
    headers: z.record(z.string(), z.string()).default({}),
    /** How long an answer may take. */
    timeoutSeconds: z.number().positive().max(240).default(15)
  })
  .refine(({ fields, map }) => !(fields && map), { error: 'either `fields` or `map`, not both' })
  .refine(({ url }) => !hasCredentials(URL.parse(url)), {
    path: ['url'],
    error: 'must hold no credentials; put them into `headers`, as authorization'
  })
  .refine(({ url, allowHttp }) => allowHttp || isPrivate(URL.parse(url)), {
    path: ['url'],
    error: 'must begin with https://, unless it leads to this machine or `allowHttp` is true'
  })
  .refine(({ headers }) => areHeaders(headers), {
    path: ['headers'],
    error: 'must be headers of HTTP, and none that `forward` sets itself, such as content-type'
  })

/** @see forward */
export type ForwardOptions = z.input<typeof Options>

/**
 * Posts what an upload says of an asset to another system, signed as Standard Webhooks has it, with the secret of the
 * variable FORWARD_SECRET. Costs no call of Cloudinary.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID
 */
export function forward(options: ForwardOptions, clock: () => number = Date.now): Processor {
  const { name, on, timeoutSeconds, ...checked } = checkOptions('forward', Options, options)
  const url = new URL(checked.url)
  // in small letters, as those are that are set beside them
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
      await reach(url, signal)
      return [{ level: 'ok', message: `${url.origin} can be reached` }]
    },
    async handle(event, { signal }) {
      const mapped = await map(event)
      if (mapped === undefined) return 'skipped: `map` wants nothing sent'
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
      // no more of the URL: the path of a webhook may be its secret
      return `sent to ${url.origin}, which answered ${status}`
    }
  }
}

/**
 * What a receiver may quote and must not be repeated, whole or in part; the longest first. Of the URL that is all but its
 * origin: for some receivers the path is the secret.
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
    .filter(({ length }) => length >= SHORTEST_SECRET)
    .sort((one, other) => other.length - one.length)
}

const hasCredentials = (url: URL | null) => Boolean(url?.username || url?.password)

/** Nobody listens between, or cannot read. What is no URL is said to be none, and nothing more. */
function isPrivate(url: URL | null): boolean {
  return url?.protocol !== 'http:' || /^(?:localhost|\[::1\]|127(?:\.\d+){3})$/.test(url.hostname)
}

function areHeaders(headers: Record<string, string>): boolean {
  try {
    return ![...new Headers(headers).keys()].some((name) => OWN_HEADERS.test(name))
  } catch {
    return false
  }
}
