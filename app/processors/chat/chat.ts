import { z } from 'zod'
import { type AssetEvent, EVENT_TYPES } from '../../ingest/event.ts'
import type { OwnVariable, Processor, ProcessorContext } from '../../processor.ts'
import { Batcher } from '../../queue/batcher.ts'
import { checkReachable } from '../http/check-reachable.ts'
import { HTTP_URL, isEncryptedOrLocal } from '../http/http-options.ts'
import { TEXT } from '../notify/text-template.ts'
import { checkOptions } from '../processor-options.ts'
import { sendTogether, within } from '../send-together.ts'
import {
  type ChatItem,
  cleanText,
  cut,
  defaultText,
  detailsOf,
  MAX_TEXT,
  webAddress
} from './chat-message.ts'
import { createPoster, type Post, type Posted, SERVICE_NAMES } from './chat-poster.ts'
import { DeadLetterDigest } from './dead-letter-digest.ts'

/** The receiver of the Cloudinary stand-in. */
const EXAMPLE_URL = 'http://127.0.0.1:4000/_standin/chat'

/** Events of this time share a message: Slack allows a message per second. */
const WINDOW_MS = 1000

/** Maximum number of events in a message. Slack allows 50 blocks. */
const MAX_EVENTS = 10

/** Maximum size of the events in a message, in bytes. Teams allows 28 KB. */
const MAX_BYTES = 16_000

/** Maximum time for a message about dead letters, in milliseconds: the last one delays the stop. */
const DIGEST_MS = 5000

/** Components of a transformation, separated by slashes. */
const TRANSFORMATION = /^[^\s/?#]+(?:\/[^\s/?#]+)*$/

const THUMBNAIL_ERROR = 'must be a transformation such as c_fill,w_150, or false'

/** Shared by all processors that require such a variable. */
const WEBHOOK_URL = HTTP_URL.refine(isEncryptedOrLocal)

const Options = z
  .strictObject({
    name: z.string().default('chat'),
    service: z.enum(['slack', 'teams']),
    on: z.array(z.enum([...EVENT_TYPES, '*'])).default(['upload']),
    when: z.custom<(event: AssetEvent) => boolean>((value) => typeof value === 'function').optional(),
    /** (Default: what happened to which asset) */
    text: TEXT.default(() => defaultText),
    /** Transformation of the thumbnail, as in a URL; false for no thumbnail. */
    thumbnail: z
      .union([z.literal(false), z.string().regex(TRANSFORMATION, THUMBNAIL_ERROR)], {
        error: THUMBNAIL_ERROR
      })
      .default('c_fill,h_150,w_150,q_auto'),
    /** URL to open. */
    link: TEXT.optional(),
    /** Also reports events that any processor of the listener dead-letters. */
    deadLetters: z.boolean().default(false),
    /** Name of the variable with the URL of the webhook. */
    variable: z
      .string()
      .regex(/^[A-Z_][A-Z0-9_]*$/, 'must be the name of a variable')
      .default('CHAT_WEBHOOK_URL'),
    /** Maximum time for a response. */
    timeoutSeconds: z.number().positive().max(120).default(15)
  })
  .refine(({ on, deadLetters }) => on.length > 0 || deadLetters, {
    path: ['on'],
    error: 'must not be empty, unless `deadLetters` is true'
  })

/** @see chat */
export type ChatOptions = z.input<typeof Options>

export interface ChatTools {
  /** Milliseconds since the epoch. */
  clock?: () => number
  /** Time in which events share a message, in milliseconds. */
  windowMs?: number
}

/**
 * Posts a message with a thumbnail to Slack or Teams. Costs no Cloudinary calls.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID
 */
export function chat(
  options: ChatOptions,
  { clock = Date.now, windowMs = WINDOW_MS }: ChatTools = {}
): Processor {
  const checked = checkOptions('chat', Options, options)
  const { name, service, on, when, variable, timeoutSeconds } = checked
  const target = SERVICE_NAMES[service]
  const webhook: OwnVariable = {
    name: variable,
    schema: WEBHOOK_URL,
    allowed:
      'the URL of an incoming webhook of Slack, or of a webhook of Teams Workflows: https; http only for this machine',
    secret: true,
    example: EXAMPLE_URL
  }
  const urlIn = (config: object) => new URL((config as Record<string, string>)[variable]!)
  const stopping = new AbortController()
  let started: { batcher: Batcher<ChatItem, Sent>; digest: DeadLetterDigest } | undefined
  return {
    name,
    on,
    ...(when && { when }),
    requires: [webhook],
    ...(service === 'slack' && { packages: ['@slack/webhook'] }),
    async start({ config, log }) {
      const post = await createPoster({ service, url: urlIn(config), variable, timeoutSeconds, clock })
      const digest = new DeadLetterDigest({
        async post(item) {
          await post([item], AbortSignal.timeout(DIGEST_MS))
        },
        log,
        clock,
        schedule(milliseconds, call) {
          const timer = setTimeout(call, milliseconds).unref()
          return () => clearTimeout(timer)
        }
      })
      started = { batcher: createBatcher(post, windowMs, stopping.signal), digest }
    },
    async check({ config, signal }) {
      await checkReachable(urlIn(config), signal, { code: 'CHAT', setting: variable, target })
      return [{ level: 'ok', message: `${target} is reachable; not checked further: a check would post` }]
    },
    async handle(event, { cloudinary, signal }) {
      const item = itemFor(event, checked, cloudinary)
      if (item === undefined) return 'skipped: the text is empty'
      const { items, posted } = await started!.batcher.add(item, signal)
      return [
        `sent to ${target}`,
        ...(items > 1 ? [`with ${items - 1} more`] : []),
        ...(posted === 'complete' ? [] : [`without pictures, which ${target} cannot load`])
      ].join(' ')
    },
    ...(checked.deadLetters && {
      deadLettered: (event, letter) => started!.digest.add(event, letter)
    }),
    async stop() {
      stopping.abort()
      await started?.digest.stop()
    }
  }
}

/** A message: the number of its items, and whether it has its pictures. */
interface Sent {
  items: number
  posted: Posted
}

/** Creates a batcher whose items resolve with the message that contains them. */
const createBatcher = (post: Post, windowMs: number, stopping: AbortSignal) =>
  new Batcher<ChatItem, Sent>({
    maximumCalls: 1,
    maximumItems: MAX_EVENTS,
    maximumBytes: MAX_BYTES,
    sizeOf: (item) => Buffer.byteLength(JSON.stringify(item)),
    schedule: within(windowMs),
    send: (items) =>
      sendTogether(items, async (together) => {
        // not the signal of one event, which must not end the message of the others
        return { items: together.length, posted: await post(together, stopping) }
      })
  })

function itemFor(
  event: AssetEvent,
  { text, thumbnail, link }: z.output<typeof Options>,
  cloudinary: ProcessorContext['cloudinary']
): ChatItem | undefined {
  const content = cut(cleanText(text(event) ?? ''), MAX_TEXT)
  if (content === '') return undefined
  const image = thumbnail === false ? undefined : thumbnailOf(event, thumbnail, cloudinary)
  const address = webAddress(link?.(event))
  return {
    text: content,
    details: detailsOf(event),
    ...(image && { thumbnail: image }),
    ...(address && { link: address })
  }
}

/** Returns the URL of a small image; undefined if the asset is gone or has no picture. */
function thumbnailOf(
  { type, asset, payload }: AssetEvent,
  transformation: string,
  cloudinary: ProcessorContext['cloudinary']
): string | undefined {
  if (!asset || type === 'delete' || type === 'delete_by_token' || payload.is_audio === true) return undefined
  const like = payload.secure_url ?? payload.url
  return webAddress(cloudinary.deliveryUrl(asset, { transformation, format: 'jpg', like }))
}
