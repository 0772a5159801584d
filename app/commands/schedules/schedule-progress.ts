import type { State } from '../../journal/processor-state.ts'
import type { Schedule } from '../../schedules/schedule.ts'

/** The command's name in the state of the journal. */
export const SCHEDULES_STATE = 'schedules'

/** A search that is not complete. */
export interface Running {
  /** ISO 8601, UTC. */
  slot: string
  /** Cursor of the next page; undefined for the first page. */
  cursor?: string
}

/** How far a schedule has run in a cloud. */
export interface Progress {
  /** All slots up to this time are done or skipped; ISO 8601, UTC. */
  through: string
  running?: Running
  /** Milliseconds since the epoch. */
  savedAt: number
}

/**
 * Age at which progress is saved again: state expires 30 days after it was set, a schedule may be due once a
 * year.
 */
const RENEW_MS = 7 * 86_400_000

const keyOf = (cloudName: string, { name }: Pick<Schedule, 'name'>) => `${cloudName}/${name}`

/** Reads the progress of a schedule in a cloud. @throws {ListenerError} JOURNAL_UNAVAILABLE */
export const loadProgress = (
  state: State,
  cloudName: string,
  schedule: Pick<Schedule, 'name'>
): Promise<Progress | undefined> => state.get(keyOf(cloudName, schedule))

/** @throws {ListenerError} JOURNAL_UNAVAILABLE */
export const saveProgress = (
  state: State,
  cloudName: string,
  schedule: Pick<Schedule, 'name'>,
  progress: Progress
): Promise<void> => state.set(keyOf(cloudName, schedule), progress)

/** Returns whether progress must be saved again so that it does not expire. */
export const needsRenewal = ({ savedAt }: Progress, now: number): boolean => now - savedAt > RENEW_MS
