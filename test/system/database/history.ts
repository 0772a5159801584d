import fc from 'fast-check'
import type { Processor, ProcessorContext } from '../../../app/listener.ts'
import type { EventOfAsset } from '../../../app/processors/database-sync/sync-event.ts'
import { memoryState } from '../../../app/testing/memory-state.ts'
import { DEFAULT_CONFIG } from '../../support/config.ts'
import { QUIET } from '../../support/operator.ts'
import { type Act, act, older, perform, SilentCloudinary } from '../../support/silent-cloudinary.ts'

/** Events handled in parallel. */
const CONCURRENCY = 12

/** Events of one asset are handled in sequence, as in the queue. */
interface Lane {
  events: EventOfAsset[]
  isBusy: boolean
}

/**
 * A few changes of three public ids, while workers follow them: slow reads of Cloudinary, late and duplicate
 * events, handlers that fail between two steps and are retried. Short, because later changes of a name would
 * repair its row. The seed determines everything except the speed of PostgreSQL.
 */
export class History {
  readonly environment: string
  readonly cloudinary: SilentCloudinary
  readonly #workers: readonly Processor[]
  readonly #acts: Act[]
  readonly #choices: Iterator<number>
  readonly #old: number
  readonly #lanes = new Map<string, Lane>()
  readonly #state = memoryState().state
  /** Reads that have a response but do not return it yet. */
  readonly #held: (() => void)[] = []
  #running = 0
  #progress = Promise.withResolvers<void>()

  constructor(seed: number, workers: readonly Processor[]) {
    const history = fc.tuple(
      fc.array(act, { minLength: 5, maxLength: 9 }),
      fc.infiniteStream(fc.nat(1_000_000)),
      fc.constantFrom(0, 0, 3)
    )
    const [given, choices, old] = fc.sample(history, { seed, numRuns: 1 })[0]!
    this.environment = `seed-${seed}`
    this.cloudinary = new SilentCloudinary(this.environment)
    this.#workers = workers
    this.#acts = given
    this.#choices = choices
    this.#old = old
  }

  /** Resolves when all changes are made and all events are handled. */
  async run(): Promise<void> {
    for (;;) {
      const ready = [...this.#lanes.values()].filter(({ events, isBusy }) => !isBusy && events.length > 0)
      if (this.#acts.length + ready.length + this.#running === 0) return
      const steps: [weight: number, step: () => unknown][] = [
        [Math.min(this.#acts.length, 1) * 8, () => this.#perform(this.#acts.shift()!)],
        [
          this.#running < CONCURRENCY ? Math.min(ready.length, 1) * 24 : 0,
          () => this.#handle(this.#oneOf(ready))
        ],
        [this.#running > this.#held.length ? 48 : 0, () => this.#progressed()],
        [Math.min(this.#held.length, 1), () => this.#release()]
      ]
      await this.#oneOf(steps.flatMap(([weight, step]) => Array(weight).fill(step)))()
    }
  }

  #perform(act: Act): void {
    for (const each of this.cloudinary.change(perform(this.#aim(act)))) {
      const event = this.#choose(10) < this.#old ? older(each) : each
      const lane = this.#lanes.get(event.group) ?? { events: [], isBusy: false }
      this.#lanes.set(event.group, lane)
      lane.events.push(event)
      if (this.#oneIn(8)) lane.events.push(event)
    }
  }

  /** Mostly acts on existing assets: others have no effect. */
  #aim(act: Act): Act {
    const names = this.cloudinary.cloud.assets.all().map(({ publicId }) => publicId)
    if (act.do === 'upload' || names.length < 2) return { ...act, do: 'upload' }
    return { ...act, name: this.#oneOf(names), to: this.#oneIn(4) ? act.to : this.#oneOf(names) }
  }

  #handle(lane: Lane): void {
    const [event] = lane.events
    const { signal } = new AbortController()
    const currentState: ProcessorContext['cloudinary']['currentState'] = async (asset) => {
      if (this.#oneIn(20)) throw new Error('the worker crashed')
      const answer = await this.cloudinary.currentState(asset).catch((error) => error)
      if (this.#oneIn(3)) await this.#hold()
      if (answer instanceof Error) throw answer
      return answer
    }
    const identify = this.cloudinary.identify.bind(this.cloudinary)
    const cloudinary = { currentState, identify } as ProcessorContext['cloudinary']
    const context = {
      cloudinary,
      config: DEFAULT_CONFIG,
      log: QUIET,
      signal,
      state: this.#state
    } satisfies ProcessorContext
    lane.isBusy = true
    this.#running++
    Promise.resolve(this.#oneOf(this.#workers).handle(event!, context))
      .then(
        () => lane.events.shift(),
        (error: Error) => {
          // retrying any other error could loop forever
          if (error.message !== 'the worker crashed') this.#fail(error)
        }
      )
      .finally(() => {
        lane.isBusy = false
        this.#running--
        this.#note()
      })
  }

  #hold(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#held.push(resolve)
    this.#note()
    return promise
  }

  #release(): void {
    // mostly the newest, so that the oldest read returns last
    const index = this.#oneIn(4) ? this.#choose(this.#held.length) : this.#held.length - 1
    const [resolve] = this.#held.splice(index, 1)
    resolve!()
  }

  #note(): void {
    this.#progress.resolve()
  }

  #fail(error: Error): void {
    this.#progress.reject(error)
  }

  async #progressed(): Promise<void> {
    await this.#progress.promise
    this.#progress = Promise.withResolvers()
  }

  #choose(below: number): number {
    return this.#choices.next().value % below
  }

  #oneIn(number: number): boolean {
    return this.#choose(number) === 0
  }

  #oneOf<Item>(items: readonly Item[]): Item {
    return items[this.#choose(items.length)]!
  }
}
