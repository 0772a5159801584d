import type { AssetEvent, RunOrigin } from '../ingest/event.ts'

/** A replay or redrive that reopened an event. */
export interface ReplayRecord {
  /** Id of the run. */
  run: string
  kind: 'replay' | 'redrive'
  /** When the run was requested; ISO 8601, UTC. */
  at: string
  /** User who requested the run. Unknown for runs of releases before 0.3.0. */
  by?: string
  from?: RunOrigin['from']
}

/** Maximum number of replays to keep per event: the last ones. */
export const MAX_STORED_REPLAYS = 10

/** Maximum length of a user's name, in characters. */
const MAX_NAME_LENGTH = 100

/** Returns the replays of an event, oldest first, when a run reopens it. */
export function withReplay(
  replays: readonly ReplayRecord[],
  { id, kind, by, at, from }: NonNullable<AssetEvent['run']>,
  now: string
): readonly ReplayRecord[] {
  const record: ReplayRecord = {
    run: id,
    kind,
    at: at ?? now,
    ...(by && { by: by.slice(0, MAX_NAME_LENGTH).toWellFormed() }),
    ...(from && { from })
  }
  return [...replays.filter(({ run }) => run !== id), record].slice(-MAX_STORED_REPLAYS)
}
