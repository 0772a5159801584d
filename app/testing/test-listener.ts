import { ListenerError } from '../errors.ts'
import type { AssetEvent, EventType } from '../ingest/event.ts'
import type { Status } from '../journal/journal-entry.ts'
import type { ProcessorRecords } from '../journal/processor-record.ts'
import type { Listener } from '../processor.ts'
import { decodeMessage } from '../queue/message-codec.ts'
import { handleMessage } from '../worker/message-handler.ts'
import { startProcessors, stopProcessors } from '../worker/processor-lifecycle.ts'
import { LOCAL_CLOUDINARY } from './defaults.ts'
import { type CloudinaryCall, FakeCloudinary } from './fake-cloudinary.ts'
import type { DeadLetter } from './memory-queue.ts'
import { type Sample, sampleBody } from './sample-body.ts'
import { sampleSearchEvent } from './sample-search.ts'
import { signatureHeaders } from './sign.ts'
import { type LogLine, wireInMemory } from './test-wiring.ts'

export interface TestListenerOptions {
  /** (Default: a new one) */
  cloudinary?: FakeCloudinary
  /** Initial state: values by key, by name of the processor. */
  state?: Record<string, Record<string, unknown>>
  /** Start of the virtual clock. (Default: 2026-06-01T12:00:00Z) */
  now?: Date
  /** Environment variables that processors require. The environment of the process is not read. */
  variables?: Record<string, string>
  /** A number from 0 up to 1: the jitter of retries. (Default: 0.5) */
  random?: () => number
}

/** An event and its outcome so far. */
export interface TestedEvent {
  event: AssetEvent
  /** The status in the journal; `queued` until a processor has started. */
  status: Status | 'queued'
  /** Why it is ignored. */
  reason?: string
  /** The last run of each processor, by name. */
  processors: ProcessorRecords
}

/** The effects of one step. */
export interface TestResult {
  /** Events that were stored or handled, in their state after the step. */
  events: TestedEvent[]
  /** Calls to Cloudinary. */
  calls: CloudinaryCall[]
  deadLetters: DeadLetter[]
  log: LogLine[]
}

const START = new Date('2026-06-01T12:00:00.000Z')

/**
 * A listener in memory: the real ingest, worker and Cloudinary client, on a fake queue, journal and
 * Cloudinary. Time is virtual, so retries do not wait. Await each step before the next; each resolves with
 * its effects.
 */
export class TestListener {
  readonly cloudinary: FakeCloudinary
  readonly #parts: ReturnType<typeof wireInMemory>
  readonly #stopping = new AbortController()
  #now: number
  #starting: Promise<void> | undefined
  /** Events of the current step, by id. */
  #events = new Map<string, AssetEvent>()

  /** @throws {ListenerError} LISTENER_CONFIG_INVALID */
  constructor(listener: Listener, options: TestListenerOptions = {}) {
    const { cloudinary = new FakeCloudinary(), random = () => 0.5, now = START, state = {} } = options
    this.cloudinary = cloudinary
    this.#now = now.getTime()
    this.#parts = wireInMemory(listener, {
      cloudinary,
      variables: options.variables ?? {},
      store: (events) => this.#store(events),
      clock: () => this.#now,
      random
    })
    for (const [processor, values] of Object.entries(state)) {
      for (const [key, value] of Object.entries(values)) {
        this.#parts.state.set(`${processor}/${key}`, JSON.stringify(value))
      }
    }
  }

  /** Time of the virtual clock. */
  get now(): Date {
    return new Date(this.#now)
  }

  /** Returns a processor's state, by key. */
  state(processor: string): Record<string, unknown> {
    const prefix = `${processor}/`
    return Object.fromEntries(
      [...this.#parts.state]
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, value]) => [key.slice(prefix.length), JSON.parse(value)])
    )
  }

  /**
   * Sends a sample notification, and handles its events once. The same sample at the same time is a
   * redelivery. For `scheduled_search`, sends the event of a sample asset that a schedule has found.
   *
   * @throws {ListenerError} SAMPLE_UNKNOWN, SAMPLE_COUNT
   */
  async send<Type extends EventType>(type: Type, sample: Sample<Type> = {}): Promise<TestResult> {
    if (type !== 'scheduled_search') return this.receive(sampleBody(type, sample, this.now))
    return this.#step(async () => {
      await this.#store([sampleSearchEvent(sample, this.now)])
      await this.#deliver()
    })
  }

  /**
   * Signs and sends a notification of your own, such as a captured one, and handles its events once.
   *
   * @param notification the body: text is sent unchanged, an object as JSON
   * @throws {ListenerError} EVENT_TOO_LARGE
   */
  async receive(notification: string | object): Promise<TestResult> {
    const text = typeof notification === 'string' ? notification : JSON.stringify(notification)
    const body = Buffer.from(text)
    const headers = signatureHeaders(body, LOCAL_CLOUDINARY, Math.floor(this.#now / 1000))
    return this.#step(async () => {
      const answer = await this.#parts.ingest.receive({
        body,
        headers: { signature: headers['x-cld-signature'], timestamp: headers['x-cld-timestamp'] }
      })
      if (answer.outcome !== 'accepted') throw new ListenerError(answer.code, answer.reason)
      await this.#deliver()
    })
  }

  /** Advances the clock, and handles each event when it becomes due. */
  advance(milliseconds: number): Promise<TestResult> {
    return this.#step(() => this.#runUntil(this.#now + milliseconds))
  }

  /** Advances the clock from retry to retry until the queue is empty. */
  settle(): Promise<TestResult> {
    return this.#step(() => this.#runUntil(Number.POSITIVE_INFINITY))
  }

  /** Stops the processors. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    const { processors, log } = this.#parts.handling
    const hasStarted = await this.#starting?.then(
      () => true,
      () => false
    )
    if (hasStarted) await stopProcessors(processors, log)
  }

  async #start(): Promise<void> {
    const { processors, config, log } = this.#parts.handling
    await this.#parts.environments.load()
    await startProcessors(processors, { config, log })
  }

  async #step(work: () => Promise<void>): Promise<TestResult> {
    const { calls } = this.cloudinary
    const { lines, queue } = this.#parts
    const before = [calls.length, queue.deadLetters.length, lines.length] as const
    this.#starting ??= this.#start()
    await this.#starting
    this.#events = new Map()
    await work()
    return {
      events: [...this.#events.values()].map((event) => this.#outcomeOf(event)),
      calls: calls.slice(before[0]),
      deadLetters: queue.deadLetters.slice(before[1]),
      log: lines.slice(before[2])
    }
  }

  #outcomeOf(event: AssetEvent): TestedEvent {
    const { status = 'queued', reason, processors = {} } = this.#parts.entries.get(event.id) ?? {}
    return structuredClone({ event, status, ...(reason !== undefined && { reason }), processors })
  }

  async #store(events: readonly AssetEvent[]): Promise<void> {
    await this.#parts.queue.store(events)
    for (const event of events) {
      this.#events.set(event.id, event)
      this.cloudinary.learn(event)
    }
  }

  async #runUntil(end: number): Promise<void> {
    for (;;) {
      await this.#deliver()
      const { nextAt } = this.#parts.queue
      if (nextAt === undefined || nextAt > end) break
      this.#now = nextAt
    }
    if (Number.isFinite(end)) this.#now = end
  }

  /** Handles all messages that are visible now. */
  async #deliver(): Promise<void> {
    const { queue, handling } = this.#parts
    for (let message = queue.receive(); message; message = queue.receive()) {
      const event = decodeMessage(message.body)
      this.#events.set(event.id, event)
      queue.settle(message, await handleMessage(message, this.#stopping.signal, handling))
    }
  }
}
