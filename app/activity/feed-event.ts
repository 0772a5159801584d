import { maskSecrets } from '../mask.ts'
import type { Access } from './access.ts'
import type { ActivityEvent, ActivityEventDetail, ActivityFilter, AttemptRecord } from './activity-store.ts'
import { maskPayload } from './masked-payload.ts'
import { RequestError } from './request-error.ts'

/** An event for a read token: without errors, notes and origin. */
export type PublicEvent = Pick<
  ActivityEvent,
  | 'id'
  | 'type'
  | 'environment'
  | 'asset'
  | 'occurredAt'
  | 'receivedAt'
  | 'startedAt'
  | 'finishedAt'
  | 'status'
  | 'attempts'
  | 'source'
  | 'change'
> & { processors: Readonly<Record<string, { outcome: string; milliseconds?: number }>> }

/** Returns an event of a list, with the fields that the access permits. */
export const feedEvent = (event: ActivityEvent, access: Access): ActivityEvent | PublicEvent =>
  access === 'full' ? maskEvent(event) : publicEvent(event)

/** Returns an event with secrets masked in the texts of processors and libraries. */
export function maskEvent(event: ActivityEvent): ActivityEvent {
  const { lastError, processors, discarded } = event
  return {
    ...event,
    processors: mapValues(processors, maskTexts),
    ...(lastError && { lastError: maskTexts(lastError) }),
    ...(discarded && { discarded: { ...discarded, reason: maskSecrets(discarded.reason) } })
  }
}

/** Returns a whole event, with secrets and capability URLs masked. */
export const maskDetail = (detail: ActivityEventDetail): ActivityEventDetail => ({
  ...detail,
  ...maskEvent(detail),
  history: detail.history.map(
    (attempt): AttemptRecord => ({ ...attempt, processors: mapValues(attempt.processors, maskTexts) })
  ),
  payload: maskPayload(detail.payload)
})

function publicEvent(event: ActivityEvent): PublicEvent {
  const { id, type, environment, asset, occurredAt, receivedAt, startedAt, finishedAt } = event
  const { status, attempts, source, change } = event
  return {
    id,
    type,
    environment,
    ...(asset !== undefined && { asset }),
    occurredAt,
    receivedAt,
    ...(startedAt && { startedAt }),
    ...(finishedAt && { finishedAt }),
    status,
    attempts,
    ...(source && { source }),
    ...(change && { change }),
    processors: mapValues(event.processors, (record) => ({
      outcome: record.outcome,
      ...('milliseconds' in record && { milliseconds: record.milliseconds })
    }))
  }
}

/**
 * Refuses a filter whose result would reveal fields that the access does not permit.
 *
 * @throws {RequestError} FILTER_REFUSED
 */
export function checkFilter({ text, code, trace, who }: ActivityFilter, access: Access): void {
  if (access === 'full') return
  const refused = {
    text,
    code,
    trace,
    who: who === 'own' || who === 'other' ? undefined : who
  }
  for (const [parameter, value] of Object.entries(refused)) {
    if (value === undefined) continue
    throw new RequestError(403, 'FILTER_REFUSED', `${parameter}: a token cannot filter by this`)
  }
}

/** Masks secrets in the texts of processors and libraries. */
const maskTexts = <Fields extends object>(fields: Fields): Fields => ({
  ...fields,
  ...('message' in fields && typeof fields.message === 'string' && { message: maskSecrets(fields.message) }),
  ...('note' in fields && typeof fields.note === 'string' && { note: maskSecrets(fields.note) })
})

const mapValues = <Value, Result>(
  values: Readonly<Record<string, Value>>,
  map: (value: Value) => Result
): Record<string, Result> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]))
