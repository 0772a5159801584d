import { pino } from 'pino'
import { LOCAL_CLOUDINARY } from '../../dev/defaults.ts'
import { signatureHeaders } from '../../dev/sign.ts'
import { memoryJournal } from '../../test/support/journal.ts'
import { memoryState } from '../../test/support/state.ts'
import { parseCloudinaryUrl } from '../cloudinary/environment.ts'
import { Environments } from '../cloudinary/environments.ts'
import type { AssetEvent, EventType } from '../cloudinary/event.ts'
import { fromUrl } from '../cloudinary/secret-source.ts'
import { readConfig } from '../config.ts'
import { ListenerError } from '../errors.ts'
import { Intake } from '../intake/intake.ts'
import type { Status } from '../journal/journal.ts'
import type { ProcessorRecords } from '../journal/processor-record.ts'
import { defineListener, type Listener } from '../listener.ts'
import { type Logger, SERIALIZERS } from '../logger.ts'
import { NO_METRICS } from '../metrics/metrics.ts'
import { decodeMessage } from '../queue/message.ts'
import { type HandleOptions, handleMessage } from '../worker/handle.ts'
import { startProcessors, stopProcessors } from '../worker/processors.ts'
import { fakeClients } from './clients.ts'
import { type CloudinaryCall, FakeCloudinary } from './cloudinary.ts'
import { type DeadLetter, MemoryQueue } from './queue.ts'
import { type Sample, sampleBody } from './sample.ts'

export interface TestListenerOptions {
  /** (Default: a new one) */
  cloudinary?: FakeCloudinary
  /** What processors remember already: values by key, by the name of the processor. */
  state?: Record<string, Record<string, unknown>>
  /** When the virtual clock starts. (Default: 2026-06-01T12:00:00Z) */
  now?: Date
  /** Variables of the environment, for processors that require some. The environment of the process is not read. */
  variables?: Record<string, string>
  /** A number from 0 up to 1, which spreads the retries. (Default: 0.5) */
  random?: () => number
}

export type LogLine = { level: string; msg: string; [field: string]: unknown }

/** An event, and what has become of it so far. */
export interface TestedEvent {
  event: AssetEvent
  /** That of the journal; `queued` until a processor has begun. */
  status: Status | 'queued'
  /** Why it is ignored. */
  reason?: string
  /** The last run of each processor, by name. */
  processors: ProcessorRecords
}

/** What a step did. */
export interface TestResult {
  /** The events that were stored or handled, as they are after it. */
  events: TestedEvent[]
  /** Calls to Cloudinary. */
  calls: CloudinaryCall[]
  deadLetters: DeadLetter[]
  log: LogLine[]
}

const START = new Date('2026-06-01T12:00:00.000Z')

/** A host that cannot exist (RFC 6761): what the fake Cloudinary does not answer, reaches nobody. */
const CLOUDINARY_URL =
  `cloudinary://${LOCAL_CLOUDINARY.apiKey}:${LOCAL_CLOUDINARY.apiSecret}@${LOCAL_CLOUDINARY.cloudName}` +
  '?upload_prefix=http://cloudinary.invalid'

/**
 * A listener in memory: the real ingest, worker and Cloudinary client, with a fake queue, journal and Cloudinary behind
 * them. Time is virtual, so no retry waits. Take one step at a time: each resolves with what it did.
 */
export class TestListener {
  readonly cloudinary: FakeCloudinary
  readonly #variables: Record<string, string>
  readonly #environments: Environments
  readonly #queue: MemoryQueue
  readonly #intake: Intake
  readonly #journal: ReturnType<typeof memoryJournal>
  readonly #state = memoryState()
  readonly #lines: LogLine[] = []
  readonly #handling: HandleOptions
  readonly #stopping = new AbortController()
  #now: number
  #starting: Promise<void> | undefined
  /** The events of the step that runs, by id. */
  #events = new Map<string, AssetEvent>()

  /** @throws {ListenerError} LISTENER_CONFIG_INVALID */
  constructor(listener: Listener, options: TestListenerOptions = {}) {
    const { cloudinary = new FakeCloudinary(), random = () => 0.5, now = START, state = {} } = options
    this.cloudinary = cloudinary
    this.#variables = options.variables ?? {}
    this.#now = now.getTime()
    const clock = () => this.#now
    const log = this.#createLog()
    this.#queue = new MemoryQueue(clock)
    this.#journal = memoryJournal(clock)
    this.#environments = new Environments({ source: fromUrl(CLOUDINARY_URL), log })
    this.#intake = new Intake({
      environments: this.#environments,
      outbox: { store: (events) => this.#store(events) },
      metrics: NO_METRICS,
      toleranceSeconds: 7200,
      clock,
      storeTimeoutMs: 8000
    })
    this.#handling = {
      processors: defineListener(listener).processors,
      clients: fakeClients({ cloudinary, environment: parseCloudinaryUrl(CLOUDINARY_URL), clock, random }),
      environments: this.#environments,
      journal: this.#journal.journal,
      state: this.#state.store,
      deadLetters: this.#queue,
      log,
      metrics: NO_METRICS,
      clock,
      random
    }
    for (const [processor, values] of Object.entries(state)) {
      for (const [key, value] of Object.entries(values)) {
        this.#state.entries.set(`${processor}/${key}`, JSON.stringify(value))
      }
    }
  }

  /** The time of the virtual clock. */
  get now(): Date {
    return new Date(this.#now)
  }

  /** What a processor remembers, by key. */
  state(processor: string): Record<string, unknown> {
    const prefix = `${processor}/`
    return Object.fromEntries(
      [...this.#state.entries]
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, value]) => [key.slice(prefix.length), JSON.parse(value)])
    )
  }

  /**
   * Sends a sample notification, and handles its events once. The same sample at the same time is the same notification:
   * a redelivery.
   *
   * @throws {ListenerError} SAMPLE_UNKNOWN, SAMPLE_COUNT
   */
  async send<Type extends EventType>(type: Type, sample: Sample<Type> = {}): Promise<TestResult> {
    return this.receive(sampleBody(type, sample, this.now))
  }

  /**
   * Sends a notification of your own, such as one that was captured, and handles its events once. It is signed here.
   *
   * @param notification its body: as text exactly as it is, or an object that is written as JSON
   * @throws {ListenerError} EVENT_TOO_LARGE
   */
  async receive(notification: string | object): Promise<TestResult> {
    const text = typeof notification === 'string' ? notification : JSON.stringify(notification)
    const body = Buffer.from(text)
    const headers = signatureHeaders(body, LOCAL_CLOUDINARY, Math.floor(this.#now / 1000))
    return this.#step(async () => {
      const answer = await this.#intake.take({
        body,
        headers: { signature: headers['x-cld-signature'], timestamp: headers['x-cld-timestamp'] }
      })
      if (answer.outcome !== 'accepted') throw new ListenerError(answer.code, answer.reason)
      await this.#deliver()
    })
  }

  /** Moves the clock, and handles at its time each event that becomes due. */
  advance(milliseconds: number): Promise<TestResult> {
    return this.#step(() => this.#runUntil(this.#now + milliseconds))
  }

  /** Moves the clock from one retry to the next until nothing is left in the queue. */
  settle(): Promise<TestResult> {
    return this.#step(() => this.#runUntil(Number.POSITIVE_INFINITY))
  }

  /** Stops the processors. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    const { processors, log } = this.#handling
    const hasStarted = await this.#starting?.then(
      () => true,
      () => false
    )
    if (hasStarted) await stopProcessors(processors, log)
  }

  #createLog(): Logger {
    return pino(
      {
        level: 'debug',
        base: null,
        timestamp: false,
        formatters: { level: (level) => ({ level }) },
        serializers: SERIALIZERS
      },
      { write: (line) => void this.#lines.push(JSON.parse(line)) }
    )
  }

  async #start(): Promise<void> {
    const { processors, log } = this.#handling
    await this.#environments.load()
    await startProcessors(processors, { config: readConfig([], this.#variables), log })
  }

  async #step(work: () => Promise<void>): Promise<TestResult> {
    const { calls } = this.cloudinary
    const { deadLetters } = this.#queue
    const before = [calls.length, deadLetters.length, this.#lines.length] as const
    this.#starting ??= this.#start()
    await this.#starting
    this.#events = new Map()
    await work()
    return {
      events: [...this.#events.values()].map((event) => this.#outcomeOf(event)),
      calls: calls.slice(before[0]),
      deadLetters: deadLetters.slice(before[1]),
      log: this.#lines.slice(before[2])
    }
  }

  #outcomeOf(event: AssetEvent): TestedEvent {
    const { status = 'queued', reason, processors = {} } = this.#journal.entries.get(event.id) ?? {}
    return structuredClone({ event, status, ...(reason !== undefined && { reason }), processors })
  }

  async #store(events: readonly AssetEvent[]): Promise<void> {
    await this.#queue.store(events)
    for (const event of events) {
      this.#events.set(event.id, event)
      this.cloudinary.learn(event)
    }
  }

  async #runUntil(end: number): Promise<void> {
    for (;;) {
      await this.#deliver()
      const { nextAt } = this.#queue
      if (nextAt === undefined || nextAt > end) break
      this.#now = nextAt
    }
    if (Number.isFinite(end)) this.#now = end
  }

  /** Handles every message that can be received now. */
  async #deliver(): Promise<void> {
    for (let message = this.#queue.receive(); message; message = this.#queue.receive()) {
      const event = decodeMessage(message.body)
      this.#events.set(event.id, event)
      this.#queue.settle(message, await handleMessage(message, this.#stopping.signal, this.#handling))
    }
  }
}
