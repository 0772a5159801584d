import { isDeepStrictEqual } from 'node:util'
import { stampTime } from '../changes/stamp-time.ts'
import type { AssetEvent } from '../ingest/event.ts'
import type { ProcessorContext } from '../processor.ts'

/** Fields, and the times they were set to. */
export type Stamps = ReadonlyMap<string, number>

/** A stamp may be older than the notification of it by the time that its listener was behind. */
const LONGEST_LAG_MS = 24 * 3_600_000

/** How far our clock, or a time in whole seconds, may be from Cloudinary's time of the same write. */
const TOLERANCE_MS = 5000

/** So many of our writes are remembered: as many may be unanswered at a time. */
const REMEMBERED_WRITES = 10

/** The answer by which it is a loop. */
const LOOP_ANSWERS = 3

/** Answers further apart than this are not counted together. */
const ANSWERS_APART_MS = 24 * 3_600_000

/** What is remembered of an asset: when we stamped it since somebody else had, and how often that was answered. */
interface Remembered {
  writes: [from: number, to: number][]
  answers: number
  answeredAt: number
}

/**
 * The fields that a change of metadata has set, where each now holds a time of shortly before, so that it may be the
 * stamp of another listener; undefined where it has set any other, or none. Fields that are gone do not count: should
 * `new_metadata` name what was written alone, all others would be.
 *
 * @param isOurs whether a field is a stamp that leads to no other anyway
 */
export function foreignStamps(
  { occurredAt }: Pick<AssetEvent, 'occurredAt'>,
  before: Record<string, unknown>,
  after: Record<string, unknown>,
  isOurs: (name: string) => boolean
): Stamps | undefined {
  const set = Object.keys(after).filter(
    (name) => !isOurs(name) && !isDeepStrictEqual(before[name], after[name])
  )
  const stamps = new Map(set.map((name) => [name, stampTime(after[name])]))
  const now = Date.parse(occurredAt)
  const isRecent = (time: number) => time >= now - LONGEST_LAG_MS && time <= now + TOLERANCE_MS
  return stamps.size > 0 && [...stamps.values()].every(isRecent) ? stamps : undefined
}

/**
 * Ends the loop of two listeners that stamp each other's stamps. What gives such a loop away is the time in the other
 * one's field: that of our own write, which it answers. Three answers for an asset are a loop; from then on, for that
 * field, each is. An answer of a loop is not stamped, so a change of anything else always is, and so is one that sets
 * any other time.
 */
export class LoopGuard {
  readonly #context: Pick<ProcessorContext, 'state' | 'log'>
  readonly #clock: () => number
  readonly #stamps: Stamps
  readonly #assetKey: string
  readonly #fieldsKey: string
  #remembered: Remembered = { writes: [], answers: 0, answeredAt: 0 }

  /** @param clock milliseconds since the epoch */
  constructor(
    { environment, asset }: AssetEvent,
    stamps: Stamps,
    context: Pick<ProcessorContext, 'state' | 'log'>,
    clock: () => number
  ) {
    this.#context = context
    this.#clock = clock
    this.#stamps = stamps
    this.#assetKey = `stamped/${environment}/${asset?.assetId ?? asset?.publicId}`
    this.#fieldsKey = `loop/${environment}/${this.fields}`
  }

  /** The fields it is about, for people. */
  get fields(): string {
    return [...this.#stamps.keys()].sort().join(', ')
  }

  /** Whether the change is an answer to a stamp of ours, in a loop. The first time, a warning is logged. */
  async stops(): Promise<boolean> {
    const { state, log } = this.#context
    this.#remembered = (await state.get<Remembered>(this.#assetKey)) ?? this.#remembered
    const { writes, answers, answeredAt } = this.#remembered
    const isAnswer = [...this.#stamps.values()].every((time) =>
      writes.some(([from, to]) => time >= from - TOLERANCE_MS && time <= to + TOLERANCE_MS)
    )
    if (!isAnswer) return false
    const now = this.#clock()
    const counted = now - answeredAt < ANSWERS_APART_MS ? answers + 1 : 1
    this.#remembered = { writes, answers: counted, answeredAt: now }
    const isKnown = (await state.get(this.#fieldsKey)) !== undefined
    if (!isKnown && counted < LOOP_ANSWERS) return false
    if (!isKnown) {
      await state.set(this.#fieldsKey, { since: new Date(now).toISOString() })
      log.warn({ code: 'STAMP_LOOP', fields: this.fields }, 'stamp loop with another listener stopped')
    }
    await state.set(this.#assetKey, this.#remembered)
    return true
  }

  /** Writes a stamp, and remembers when. To be called after `stops`. */
  async around(write: () => Promise<void>): Promise<void> {
    const from = this.#clock()
    await write()
    const { writes, ...remembered } = this.#remembered
    const latest = [...writes, [from, this.#clock()]].slice(-REMEMBERED_WRITES)
    await this.#context.state.set(this.#assetKey, { ...remembered, writes: latest })
  }
}
