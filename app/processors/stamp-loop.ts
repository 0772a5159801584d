import { isDeepStrictEqual } from 'node:util'
import { stampTime } from '../changes/stamp-time.ts'
import type { AssetEvent } from '../ingest/event.ts'
import type { ProcessorContext } from '../processor.ts'

/** Times by metadata field, in milliseconds since the epoch. */
export type Stamps = ReadonlyMap<string, number>

/** Maximum age of another listener's stamp when its notification arrives: its processing lag. */
const MAX_LAG_MS = 24 * 3_600_000

/**
 * Maximum difference between our time and Cloudinary's time of the same write. Covers times in whole seconds.
 */
const TOLERANCE_MS = 5000

/** Maximum writes remembered per asset. */
const MAX_WRITES = 10

/** Number of echoes that make a loop. */
const LOOP_ECHOES = 3

/** Maximum time between two echoes of one loop. */
const MAX_ECHO_GAP_MS = 24 * 3_600_000

/**
 * The state of an asset: when we stamped it after a foreign stamp, and the echoes of that. Its format is
 * stored: do not rename fields.
 */
interface AssetRecord {
  writes: [from: number, to: number][]
  answers: number
  answeredAt: number
}

/**
 * Returns the fields that a metadata change set, if each of them holds a recent time, like the stamp of
 * another listener; otherwise undefined. Removed fields do not count, because `new_metadata` may contain only
 * the fields that were written.
 *
 * @param isOurs returns whether a field is a stamp that is ignored anyway
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
  const isRecent = (time: number) => time >= now - MAX_LAG_MS && time <= now + TOLERANCE_MS
  return stamps.size > 0 && [...stamps.values()].every(isRecent) ? stamps : undefined
}

/**
 * Stops two listeners from stamping each other's stamps. A change is an echo if the other listener's field
 * contains the time of our own stamp. Three echoes for one asset make a loop. From then on, every echo in
 * that field is skipped. Any other change, and any other time, is stamped.
 */
export class LoopGuard {
  readonly #context: Pick<ProcessorContext, 'state' | 'log'>
  readonly #clock: () => number
  readonly #stamps: Stamps
  readonly #assetKey: string
  readonly #fieldsKey: string
  #record: AssetRecord = { writes: [], answers: 0, answeredAt: 0 }

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

  /** Names the stamp fields of the change, for log and notes. */
  get fields(): string {
    return [...this.#stamps.keys()].sort().join(', ')
  }

  /** Returns whether the change is an echo in a loop. Logs a warning when it detects the loop. */
  async stops(): Promise<boolean> {
    const { state, log } = this.#context
    this.#record = (await state.get<AssetRecord>(this.#assetKey)) ?? this.#record
    const { writes, answers, answeredAt } = this.#record
    const isEcho = [...this.#stamps.values()].every((time) =>
      writes.some(([from, to]) => time >= from - TOLERANCE_MS && time <= to + TOLERANCE_MS)
    )
    if (!isEcho) return false
    const now = this.#clock()
    const counted = now - answeredAt < MAX_ECHO_GAP_MS ? answers + 1 : 1
    this.#record = { writes, answers: counted, answeredAt: now }
    const isKnown = (await state.get(this.#fieldsKey)) !== undefined
    if (!isKnown && counted < LOOP_ECHOES) return false
    if (!isKnown) {
      await state.set(this.#fieldsKey, { since: new Date(now).toISOString() })
      log.warn({ code: 'STAMP_LOOP', fields: this.fields }, 'stamp loop with another listener stopped')
    }
    await state.set(this.#assetKey, this.#record)
    return true
  }

  /** Writes a stamp, and saves the time of the write. Call `stops` first. */
  async around(write: () => Promise<void>): Promise<void> {
    const from = this.#clock()
    await write()
    const { writes, ...record } = this.#record
    const latest = [...writes, [from, this.#clock()]].slice(-MAX_WRITES)
    await this.#context.state.set(this.#assetKey, { ...record, writes: latest })
  }
}
