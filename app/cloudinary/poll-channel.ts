import type { CloudinaryClient } from './client.ts'
import { callRest } from './rest.ts'

/** A notification out of a poll channel. What is not there is for the verification to refuse. */
export interface PollMessage {
  /** The exact bytes that are signed: base64url, with or without padding. */
  signed_payload?: string
  signature?: string
  /** Unix time, seconds. */
  timestamp?: string | number
  /** Acknowledges this message, this time. */
  receipt_handle?: string
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
export async function fetchMessages(client: CloudinaryClient, fetch: Fetch): Promise<PollMessage[]> {
  const { messages = [] } = await callRest<{ messages?: PollMessage[] }>(client, 'poll', {
    method: 'GET',
    path: pathOf(client),
    query: {
      channel: fetch.channel,
      max_messages: fetch.maxMessages,
      wait_seconds: fetch.waitSeconds,
      visibility_timeout: fetch.visibilitySeconds
    },
    timeoutMs: fetch.waitSeconds * 1000 + ANSWER_MS
  })
  return messages
}

/**
 * Removes messages from their channel for good. A handle that is no longer valid is none of the caller's business: its
 * message comes again.
 *
 * @throws {CloudinaryError}
 */
export async function acknowledge(
  client: CloudinaryClient,
  receiptHandles: readonly string[]
): Promise<void> {
  for (let first = 0; first < receiptHandles.length; first += ACKNOWLEDGE_LIMIT) {
    await callRest(client, 'acknowledge', {
      method: 'POST',
      path: `${pathOf(client)}/ack`,
      body: { receipt_handles: receiptHandles.slice(first, first + ACKNOWLEDGE_LIMIT) },
      timeoutMs: ANSWER_MS
    })
  }
}
