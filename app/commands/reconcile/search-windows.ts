import type { State } from '../../journal/processor-state.ts'
import type { ChangeKind } from './change-kinds.ts'

/** How far earlier passes have searched. */
export interface Watermark {
  /** All changes up to this time were searched. ISO 8601, UTC. */
  through: string
  /** The pass was finished. An unfinished one resumes without overlap, or it might never make progress. */
  complete: boolean
}

/** The time range that a pass searches; milliseconds since the epoch. */
export interface SearchWindow {
  from: number
  until: number
  /** Why the range starts at this time, for the report. */
  why: string
  /** True if the pass leaves no gap after the watermark, and may therefore move it. */
  movesWatermark: boolean
}

/**
 * The windows, in the order in which a pass searches. `until` is -Infinity for a kind that cannot be searched
 * yet.
 */
export type SearchWindows = ReadonlyMap<ChangeKind, SearchWindow>

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** Overlap with the last pass, since the index may show changes late. */
const OVERLAP_MS = 10 * MINUTE_MS

const FIRST_PASS_MS = DAY_MS

/** The journal deletes events after 30 days, and deleted events would look missing. */
const MAX_AGE_MS = 29 * DAY_MS

/**
 * Decides which time range to search.
 *
 * @param since from `--since`; milliseconds since the epoch
 */
export function windowOf(
  watermark: Watermark | undefined,
  { since, until, now }: { since: number | undefined; until: number; now: number }
): SearchWindow {
  const through = watermark && Date.parse(watermark.through)
  const wanted =
    since !== undefined
      ? { from: since, why: 'from --since' }
      : through === undefined
        ? { from: now - FIRST_PASS_MS, why: 'first pass: last 24 hours' }
        : watermark?.complete
          ? { from: through - OVERLAP_MS, why: 'end of the last pass less 10 minutes' }
          : { from: through, why: 'where the last pass stopped' }
  const earliest = now - MAX_AGE_MS
  return {
    until,
    movesWatermark: through === undefined || wanted.from <= through,
    ...(wanted.from < earliest ? { from: earliest, why: '29 days back: the journal keeps 30' } : wanted)
  }
}

type ByType = Partial<Record<ChangeKind['type'], Watermark>>

/** The watermarks of one cloud, one for each kind of change, stored as one value. */
export class Watermarks {
  readonly #state: State
  readonly #cloudName: string
  #known: ByType = {}

  constructor(state: State, cloudName: string) {
    this.#state = state
    this.#cloudName = cloudName
  }

  /** @throws {ListenerError} JOURNAL_UNAVAILABLE */
  async load(): Promise<void> {
    this.#known = (await this.#state.get<ByType>(this.#cloudName)) ?? {}
  }

  of({ type }: ChangeKind): Watermark | undefined {
    return this.#known[type]
  }

  /** @throws {ListenerError} JOURNAL_UNAVAILABLE */
  async save({ type }: ChangeKind, through: number, complete: boolean): Promise<void> {
    this.#known = { ...this.#known, [type]: { through: new Date(through).toISOString(), complete } }
    await this.#state.set(this.#cloudName, this.#known)
  }
}
