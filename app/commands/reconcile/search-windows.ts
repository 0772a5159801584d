import type { State } from '../../journal/processor-state.ts'
import type { Side } from './tracked-changes.ts'

/** How far earlier passes have looked. */
export interface Watermark {
  /** All that changed until then was looked at. ISO 8601, UTC. */
  through: string
  /** The pass reached its end; one that did not goes on without overlap, or it might never come further. */
  complete: boolean
}

/** From when to when a pass looks; milliseconds since the epoch. */
export interface Window {
  from: number
  until: number
  why: string
  /** The watermark can follow this pass: it leaves no gap behind. */
  keeps: boolean
}

/** The sides of a pass, in its order. `until` is -Infinity for a side that cannot be looked at. */
export type Windows = ReadonlyMap<Side, Window>

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** So much is looked at again, since what changed may be found only later. */
const OVERLAP_MS = 10 * MINUTE_MS

const FIRST_PASS_MS = DAY_MS

/** The journal forgets events after 30 days; what it has forgotten would look missing. */
const FURTHEST_MS = 29 * DAY_MS

/**
 * From when to when to look.
 *
 * @param since what the operator asks for; milliseconds since the epoch
 */
export function windowOf(
  watermark: Watermark | undefined,
  { since, until, now }: { since: number | undefined; until: number; now: number }
): Window {
  const through = watermark && Date.parse(watermark.through)
  const wanted =
    since !== undefined
      ? { from: since, why: 'as --since says' }
      : through === undefined
        ? { from: now - FIRST_PASS_MS, why: 'the first pass: 24 hours back' }
        : watermark?.complete
          ? { from: through - OVERLAP_MS, why: 'where the last pass ended, less 10 minutes' }
          : { from: through, why: 'where the last pass was stopped' }
  const furthest = now - FURTHEST_MS
  return {
    until,
    keeps: through === undefined || wanted.from <= through,
    ...(wanted.from < furthest
      ? { from: furthest, why: '29 days back: the journal remembers no more than 30' }
      : wanted)
  }
}

type BySide = Partial<Record<Side['type'], Watermark>>

/** The watermarks of one cloud, one for each side, in one value. */
export class Watermarks {
  readonly #state: State
  readonly #cloudName: string
  #known: BySide = {}

  constructor(state: State, cloudName: string) {
    this.#state = state
    this.#cloudName = cloudName
  }

  /** @throws {ListenerError} JOURNAL_UNAVAILABLE */
  async load(): Promise<void> {
    this.#known = (await this.#state.get<BySide>(this.#cloudName)) ?? {}
  }

  of({ type }: Side): Watermark | undefined {
    return this.#known[type]
  }

  /** @throws {ListenerError} JOURNAL_UNAVAILABLE */
  async save({ type }: Side, through: number, complete: boolean): Promise<void> {
    this.#known = { ...this.#known, [type]: { through: new Date(through).toISOString(), complete } }
    await this.#state.set(this.#cloudName, this.#known)
  }
}
