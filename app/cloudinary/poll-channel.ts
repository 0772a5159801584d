import { z } from 'zod'
import type { CloudinaryClient } from './client.ts'
import { CloudinaryError } from './cloudinary-error.ts'
import { callRest } from './rest.ts'

const Text = z
  .union([z.string().min(1), z.number().transform(String)])
  .optional()
  .catch(undefined)

/** A notification from a poll channel. Verification refuses it if a field is missing or invalid. */
const PollMessage = z.object({
  /** The exact signed bytes, in base64url with or without padding. */
  signed_payload: Text,
  signature: Text,
  /** Unix time, in seconds. */
  timestamp: Text,
  /** Acknowledges this delivery of the message. */
  receipt_handle: Text
})
export type PollMessage = z.infer<typeof PollMessage>

const PollResponse = z.object({ messages: z.array(PollMessage.optional().catch(undefined)).nullish() })

export interface FetchedMessages {
  messages: PollMessage[]
  /** Number of elements that are not messages. */
  invalid: number
}

export interface FetchOptions {
  channel: string
  /** 1 to 100. */
  maxMessages: number
  /** Maximum time that Cloudinary waits for the first message: 0 to 60 s. */
  waitSeconds: number
  /** Visibility timeout of the messages: 1 to 600 s. */
  visibilitySeconds: number
}

/** Maximum number of receipt handles in one call. Set by Cloudinary. */
const ACKNOWLEDGE_LIMIT = 100

/**
 * Maximum number of calls to find rejected handles: two among a hundred. More would use up the hourly limit.
 */
const MAX_SPLITS = 14

/** Timeout of a call, beyond the requested wait, in milliseconds. */
const RESPONSE_MS = 15_000

const pathOf = ({ cloudName }: CloudinaryClient) =>
  `/v2/notifications/${encodeURIComponent(cloudName)}/messages`

/**
 * Fetches notifications from a channel. Waits up to `waitSeconds` for the first one.
 * Source: pycloudinary 1.46.0, `api.notifications`
 *
 * @throws {CloudinaryError}
 */
export async function fetchMessages(
  client: CloudinaryClient,
  options: FetchOptions
): Promise<FetchedMessages> {
  const { messages: elements } = await callRest(client, 'poll', {
    method: 'GET',
    path: pathOf(client),
    query: {
      channel: options.channel,
      max_messages: options.maxMessages,
      wait_seconds: options.waitSeconds,
      visibility_timeout: options.visibilitySeconds
    },
    timeoutMs: options.waitSeconds * 1000 + RESPONSE_MS,
    answer: PollResponse
  })
  const messages = (elements ?? []).filter((element) => element !== undefined)
  return { messages, invalid: (elements?.length ?? 0) - messages.length }
}

/**
 * Removes messages from their channel. A message whose handle has expired is redelivered.
 *
 * If Cloudinary rejects a batch, tries its halves, so that one invalid handle does not affect the others.
 *
 * @returns the rejected handles
 * @throws {CloudinaryError}
 */
export async function acknowledge(
  client: CloudinaryClient,
  receiptHandles: readonly string[]
): Promise<string[]> {
  const rejected: string[] = []
  const batches: (readonly string[])[] = []
  for (let first = 0; first < receiptHandles.length; first += ACKNOWLEDGE_LIMIT) {
    batches.push(receiptHandles.slice(first, first + ACKNOWLEDGE_LIMIT))
  }
  let splits = 0
  for (let batch = batches.shift(); batch; batch = batches.shift()) {
    try {
      await acknowledgeBatch(client, batch)
    } catch (error) {
      if (!(error instanceof CloudinaryError && error.failure.kind === 'permanent')) throw error
      if (batch.length === 1) rejected.push(...batch)
      else if (++splits > MAX_SPLITS) throw error
      else {
        const middle = Math.ceil(batch.length / 2)
        batches.push(batch.slice(0, middle), batch.slice(middle))
      }
    }
  }
  return rejected
}

async function acknowledgeBatch(client: CloudinaryClient, receiptHandles: readonly string[]): Promise<void> {
  await callRest(client, 'acknowledge', {
    method: 'POST',
    path: `${pathOf(client)}/ack`,
    body: { receipt_handles: receiptHandles },
    timeoutMs: RESPONSE_MS
  })
}
