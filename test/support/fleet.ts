import { pino } from 'pino'
import { Breaker } from '../../app/cloudinary/breaker.ts'
import { CloudinaryError } from '../../app/cloudinary/cloudinary-error.ts'
import type { CloudinaryClient, Processor } from '../../app/listener.ts'
import { NO_METRICS } from '../../app/metrics/metrics.ts'
import { encodeMessage } from '../../app/queue/message-codec.ts'
import type { MessageAction } from '../../app/queue/message-source.ts'
import { memoryJournal } from '../../app/testing/memory-journal.ts'
import { memoryState } from '../../app/testing/memory-state.ts'
import { handleMessage } from '../../app/worker/message-handler.ts'
import { DEFAULT_CONFIG } from './config.ts'
import { sampleEvent } from './events.ts'

export interface FleetOptions {
  workers: number
  /** Number of events. Cloudinary answers 503 to each call for one of them. */
  events: number
  hours: number
  /**
   * Seconds between calls for other events that are answered, per worker. (Default: only one, at the start)
   */
  answerEvery?: number
  /** DynamoDB does not answer. */
  isJournalDown?: boolean
  /** A number from 0 up to 1. */
  random: () => number
}

/** The outcome of one event. */
export interface FleetResult {
  receives: number
  /** Attempts that counted. */
  attempts: number
  /** When it was dead-lettered, in hours; undefined if it was not. */
  deadAfter: number | undefined
}

/** SQS dead-letters a message after this number of receives. */
const MAX_RECEIVES = 1000

const HOUR_MS = 3_600_000

const FAILURE = new CloudinaryError('CLOUDINARY_UNAVAILABLE', 'add tag', { kind: 'retryable' }, 503)

/** Runs workers that share a queue and a journal, with a virtual clock that jumps from receive to receive. */
export async function runFleet(options: FleetOptions): Promise<FleetResult[]> {
  const { workers, events, hours, answerEvery = Number.POSITIVE_INFINITY, random } = options
  const time = { now: 0 }
  const clock = () => time.now
  const { journal, entries } = memoryJournal(clock)
  const down = async () => {
    throw new Error('down')
  }
  const handling = {
    config: DEFAULT_CONFIG,
    environments: { isOwnKey: () => false },
    journal: options.isJournalDown ? { ...journal, startAttempt: down } : journal,
    state: memoryState().store,
    log: pino({ level: 'silent' }),
    payloadCheck: { check() {} },
    metrics: NO_METRICS,
    clock,
    random
  }
  const fleet = Array.from({ length: workers }, () => new Worker(new Breaker({ clock, random })))
  const messages = Array.from({ length: events }, (_, index) => {
    const event = { ...sampleEvent('upload'), id: `event-${index}` }
    return { id: event.id, body: encodeMessage(event), visibleAt: 0, receives: 0, deadAt: -1 }
  })

  async function deliver(message: (typeof messages)[number], worker: Worker): Promise<MessageAction> {
    const { id, body, receives: receiveCount } = message
    return handleMessage({ id, body, group: id, receiveCount }, new AbortController().signal, {
      ...handling,
      processors: [worker.processor],
      clients: { for: () => ({}) as CloudinaryClient, breaker: () => worker.breaker },
      deadLetters: {
        put: async () => {
          message.deadAt = clock()
        }
      }
    })
  }

  for (;;) {
    const [message] = messages
      .filter(({ deadAt }) => deadAt < 0)
      .sort((one, other) => one.visibleAt - other.visibleAt)
    time.now = Math.max(time.now, message?.visibleAt ?? 0)
    if (!message || time.now >= hours * HOUR_MS) break
    for (const worker of fleet) worker.answer(time, answerEvery * 1000 * (0.5 + random()))
    const able = fleet.filter(({ breaker }) => breaker.capacity > 0)
    const worker = able[Math.floor(random() * able.length)]
    if (!worker) {
      time.now += 500
    } else if (message.receives === MAX_RECEIVES) {
      message.deadAt = time.now
    } else {
      message.receives++
      const action = await deliver(message, worker)
      if (action.kind === 'retry') message.visibleAt = time.now + action.delaySeconds * 1000
    }
  }
  return messages.map(({ id, receives, deadAt }) => ({
    receives,
    attempts: entries.get(id)?.processors.tag?.attempts ?? 0,
    deadAfter: deadAt < 0 ? undefined : deadAt / HOUR_MS
  }))
}

class Worker {
  readonly breaker: Breaker
  readonly processor: Processor
  #nextAnswer = 0

  constructor(breaker: Breaker) {
    this.breaker = breaker
    this.processor = {
      name: 'tag',
      on: ['upload'],
      async handle() {
        breaker.observe(FAILURE)
        throw FAILURE
      }
    }
  }

  /** Reports the answers up to now to the breaker, each at its time. */
  answer(time: { now: number }, pauseMs: number): void {
    const { now } = time
    for (; this.#nextAnswer <= now; this.#nextAnswer += pauseMs) {
      time.now = this.#nextAnswer
      this.breaker.succeeded()
    }
    time.now = now
  }
}
