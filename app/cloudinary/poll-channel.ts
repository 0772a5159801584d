import { z } from 'zod'
import type { CloudinaryClient } from './client.ts'
import { CloudinaryError } from './cloudinary-error.ts'
import { callRest } from './rest.ts'

const Text = z
  .union([z.string().min(1), z.number().transform(String)])
  .optional()
  .catch(undefined)

/** A notification out of a poll channel. What is missing, or is not text, is for the verification to refuse. */
const PollMessage = z.object({
  /** The exact bytes that are signed: base64url, with or without padding. */
  signed_payload: Text,
  signature: Text,
  /** Unix time, seconds. */
  timestamp: Text,
  /** Acknowledges this message, this time. */
  receipt_handle: Text
})
export type PollMessage = z.infer<typeof PollMessage>

const Answer = z.object({ messages: z.array(PollMessage.optional().catch(undefined)).nullish() })

export interface Fetched {
  messages: PollMessage[]
  /** Number of elements that are not messages at all. */
  invalid: number
}

export interface Fetch {
  channel: string
  /** 1 to 100. */
  maxMessages: number
  /** How long Cloudinary waits for a first message: 0 to 60 s. */
  waitSeconds: number
  /** How long what it gives stays hidden from others; then it is given again: 1 to 600 s. */
  visibilitySeconds: number
}

/** What Cloudinary takes in one call. */
const ACKNOWLEDGE_LIMIT = 100

/** Two bad handles among a hundred are found by 14 splits; where all calls are rejected, more would only use up the hour's. */
const MAXIMUM_SPLITS = 14

/** Beyond the wait that was asked for, in milliseconds. */
const ANSWER_MS = 15_000

const pathOf = ({ cloudName }: CloudinaryClient) =>
  `/v2/notifications/${encodeURIComponent(cloudName)}/messages`

/**
 * Notifications from a channel: as soon as there is one, none when the time is over.
 * Source: pycloudinary 1.46.0, `api.notifications`
 *
 * @throws {CloudinaryError}
 */
export async function fetchMessages(client: CloudinaryClient, fetch: Fetch): Promise<Fetched> {
  const { messages: elements } = await callRest(client, 'poll', {
    method: 'GET',
    path: pathOf(client),
    query: {
      channel: fetch.channel,
      max_messages: fetch.maxMessages,
      wait_seconds: fetch.waitSeconds,
      visibility_timeout: fetch.visibilitySeconds
    },
    timeoutMs: fetch.waitSeconds * 1000 + ANSWER_MS,
    answer: Answer
  })
  const messages = (elements ?? []).filter((element) => element !== undefined)
  return { messages, invalid: (elements?.length ?? 0) - messages.length }
}

/**
 * Removes messages from their channel for good. A message whose handle is no longer valid is given again.
 *
 * Where Cloudinary rejects a call for what is in it, its halves are tried, so that one bad handle does not keep the others.
 *
 * @returns the handles that were rejected
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
      if (!(error instanceof CloudinaryError && error.fault.kind === 'permanent')) throw error
      if (batch.length === 1) rejected.push(...batch)
      else if (++splits > MAXIMUM_SPLITS) throw error
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
    timeoutMs: ANSWER_MS
  })
}
