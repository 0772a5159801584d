import { randomUUID } from 'node:crypto'
import type { CloudinaryEnvironment } from '../../credentials/cloudinary-url.ts'
import type { ListenerError } from '../../errors.ts'
import { CANARY_TYPE } from '../../ingest/canary-type.ts'
import { toEvents } from '../../ingest/notification.ts'
import { signatureHeaders } from '../../ingest/sign.ts'
import { type Status, UNFINISHED } from '../../journal/journal-entry.ts'
import type { JournalReader } from '../../journal/journal-reader.ts'
import { explain } from '../explain-error.ts'

export interface CanaryOptions {
  webhookUrl: string
  journal: Pick<JournalReader, 'find'>
  /** Maximum time from the start of the request until the journal has the outcome, in milliseconds. */
  withinMs: number
  /** Milliseconds since the epoch. */
  clock: () => number
  /** Waits between two reads of the journal. Returns early when the signal aborts. */
  pause: (signal: AbortSignal) => Promise<void>
  /** Aborts when the command is interrupted. */
  signal: AbortSignal
}

/** The stage at which the journey ended. */
export type CanaryOutcome = { eventId: string } & (
  | { outcome: 'ended'; acknowledgedMs: number; endedMs: number }
  | { outcome: 'failed'; code: 'CANARY_REFUSED' | 'CANARY_NOT_PROCESSED' | 'CANARY_LOST'; reason: string }
  /** The command was interrupted, so the result says nothing about the listener. */
  | { outcome: 'interrupted' }
)

/** Cloudinary's own timeout, in milliseconds. */
const REQUEST_MS = 20_000

/**
 * Sends a notification as Cloudinary does, and follows its event through `web`, the queue and `worker` to the
 * journal. No processor handles the type of the event. Never throws.
 */
export async function sendCanary(key: CloudinaryEnvironment, options: CanaryOptions): Promise<CanaryOutcome> {
  const { clock } = options
  const startedAt = clock()
  // each body must be different, so that it gives a new event
  const body = JSON.stringify({
    notification_type: CANARY_TYPE,
    timestamp: new Date(startedAt).toISOString(),
    request_id: randomUUID(),
    // a worker of an older release ignores it as one of the listener's own changes
    notification_context: { triggered_by: { source: 'api', id: key.apiKey } }
  })
  const signedAt = Math.floor(startedAt / 1000)
  const [event] = toEvents(Buffer.from(body), {
    environment: key.cloudName,
    isOwnKey: (apiKey) => apiKey === key.apiKey,
    receivedAt: new Date(startedAt),
    signedAt
  })
  const eventId = event!.id
  const { apiSecret, signatureAlgorithm: algorithm } = key
  const headers = signatureHeaders(body, { apiSecret, ...(algorithm && { algorithm }) }, signedAt)
  const refusal = await post(body, headers, options)
  if (refusal && options.signal.aborted) return { outcome: 'interrupted', eventId }
  if (refusal) return { outcome: 'failed', eventId, code: 'CANARY_REFUSED', reason: refusal }
  const acknowledgedMs = clock() - startedAt
  const failure = await followEvent(eventId, startedAt, options)
  if (failure === 'interrupted') return { outcome: 'interrupted', eventId }
  return failure
    ? { outcome: 'failed', eventId, ...failure }
    : { outcome: 'ended', eventId, acknowledgedMs, endedMs: clock() - startedAt }
}

/** Returns why the webhook did not acknowledge the notification; undefined if it did. */
async function post(
  body: string,
  signature: Record<string, string>,
  { webhookUrl, signal }: CanaryOptions
): Promise<string | undefined> {
  try {
    const response = await fetch(webhookUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...signature },
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)])
    })
    await response.body?.cancel()
    // Cloudinary retries after any status except 200
    return response.status === 200 ? undefined : `the webhook answered ${response.status}`
  } catch (error) {
    // the cause of a failed fetch has the code of the network error
    const { name, cause } = error as Error & { cause?: { code?: string } }
    return `no answer from the webhook (${cause?.code ?? name})`
  }
}

/** Reads the journal until it has the outcome. Returns why the journey failed; undefined if it did not. */
async function followEvent(
  eventId: string,
  startedAt: number,
  { journal, withinMs, clock, pause, signal }: CanaryOptions
) {
  let status: Status | undefined
  let problem: ListenerError | undefined
  while (clock() - startedAt < withinMs) {
    if (signal.aborted) return 'interrupted'
    try {
      status = (await journal.find(eventId))?.status
      problem = undefined
      if (status !== undefined && !UNFINISHED.includes(status)) return outcomeOf(status)
    } catch (error) {
      problem = error as ListenerError
    }
    await pause(signal)
  }
  const seconds = Math.round((clock() - startedAt) / 1000)
  const found = problem ? explain(problem) : `status in the journal: ${status ?? 'none'}`
  return {
    code: 'CANARY_NOT_PROCESSED' as const,
    reason: `acknowledged, but not processed within ${seconds} s; ${found}`
  }
}

function outcomeOf(status: Status) {
  if (status === 'ignored') return undefined
  return { code: 'CANARY_LOST' as const, reason: `the worker recorded it as ${status}, not as ignored` }
}
