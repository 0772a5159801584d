import { gunzipSync } from 'node:zlib'
import type { ActivityEvent, ActivityEventDetail } from '../activity/activity-store.ts'
import type { AssetEvent } from '../ingest/event.ts'
import { changeSummary } from '../ingest/event-change.ts'
import { attemptsUntilNow, type LastAttempt } from './attempt-history.ts'
import type { FeedItem } from './feed.ts'
import { completeRecords } from './processor-record.ts'
import type { ReplayRecord } from './replay-record.ts'

/** An item of an event. The items of the feed have no payload. */
export interface StoredEvent extends FeedItem, Omit<LastAttempt, 'status' | 'processors'> {
  id: string
  historyKey?: string
  reason?: string
  attempts?: number
  lastError?: ActivityEvent['lastError']
  run?: string
  replays?: readonly ReplayRecord[]
  discarded?: ActivityEvent['discarded']
  source?: 'web' | 'poll'
  reconciled?: true
  traceId?: string
  /** The event as compressed JSON. */
  payload?: Uint8Array
}

/** Maximum size of an event to show, in bytes of JSON. */
const MAX_SHOWN_BYTES = 16 * 1024 * 1024

/**
 * Converts an item of the table to an event. The payload is undefined if it is too large to keep or to show.
 */
export function toDetail(item: StoredEvent): ActivityEventDetail {
  const event = item.payload && unpack(item.payload)
  const change = event && changeSummary(event.type, event.payload)
  const group = item.historyKey ?? event?.group
  const source = sourceOf(item)
  return {
    ...toListed(item),
    ...(group && { group }),
    ...(source && { source }),
    ...(change && { change }),
    history: attemptsUntilNow({ ...item, processors: completeRecords(item.processors ?? {}) }).map(
      (attempt) => ({ ...attempt, ...(attempt.run && { source: 'replay' as const }) })
    ),
    ...(item.replays && { replays: item.replays }),
    payload: event?.payload
  }
}

/** Converts an item of the feed to an event. */
export function toListed(item: StoredEvent): ActivityEvent {
  const { id, type, environment, asset, origin, occurredAt, receivedAt, status, attempts = 0 } = item
  const { startedAt, finishedAt, reason, lastError, run, discarded, traceId } = item
  const { processors = {} } = item
  return {
    id,
    type,
    environment,
    ...(asset !== undefined && { asset }),
    origin,
    occurredAt,
    receivedAt,
    ...(startedAt && { startedAt }),
    ...(finishedAt && { finishedAt }),
    status,
    ...(reason && { reason }),
    attempts,
    processors: completeRecords(processors),
    ...(lastError && { lastError }),
    ...(run && { run }),
    ...(discarded && { discarded }),
    ...(traceId && { traceId })
  }
}

/** Returns an event without the fields that only its own page shows. */
export function withoutDetail(detail: ActivityEventDetail): ActivityEvent {
  const { history: _, replays: __, payload: ___, storedAt: ____, ...event } = detail
  return event
}

/**
 * Returns the source of an event. Any event can be reopened by a run (replay or redrive), so the run comes
 * first.
 */
function sourceOf({ run, reconciled, source }: StoredEvent): ActivityEvent['source'] {
  if (run) return 'replay'
  return reconciled ? 'reconcile' : source
}

function unpack(payload: Uint8Array): AssetEvent | undefined {
  try {
    return JSON.parse(gunzipSync(payload, { maxOutputLength: MAX_SHOWN_BYTES }).toString())
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}
