import { Writable } from 'node:stream'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import { pino } from 'pino'
import type { Test } from 'tap'
import { type ActivityServerOptions, buildActivityServer } from '../../app/activity/activity-server.ts'
import type { ActivityEvent } from '../../app/activity/activity-store.ts'
import { LiveFeed, type LiveFeedOptions } from '../../app/activity/live-feed.ts'
import { type EventState, MemoryActivityStore } from '../../app/activity/memory-activity-store.ts'
import { RepairRunner } from '../../app/activity/repair-runner.ts'
import type { AssetEvent, EventType } from '../../app/ingest/event.ts'
import { type Logger, SERIALIZERS } from '../../app/logger.ts'
import { Lifecycle } from '../../app/web/lifecycle.ts'
import { sampleEvent } from './events.ts'
import { MemoryDeadLetters, MemoryRepairStore } from './repairs.ts'

/** 2026-06-01T12:00:00Z */
export const NOW = 1_780_315_200_000

export const PASSWORD = 'correct horse battery'
export const TOKEN = 'a-token-of-the-site'
export const SITE = 'https://site.example'

export const iso = (time: number): string => new Date(time).toISOString()

export const basic = (password = PASSWORD, user = 'listener') => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
})

export const bearer = (token = TOKEN) => ({ authorization: `Bearer ${token}` })

/** An event received a number of milliseconds after NOW. */
export function eventAt(
  after: number,
  change: Partial<AssetEvent> = {},
  type: EventType = 'upload'
): AssetEvent {
  const receivedAt = iso(NOW + after)
  return {
    ...sampleEvent(type),
    id: `event-${String(after).padStart(6, '0')}`,
    receivedAt,
    occurredAt: receivedAt,
    ...change
  }
}

/** The event of a list that is made of this one. */
export async function listed(event: AssetEvent, state: EventState = {}): Promise<ActivityEvent> {
  const store = new MemoryActivityStore()
  store.put(event, state)
  const query = { filter: {}, limit: 1, signal: new AbortController().signal }
  const { events } = await store.list(query)
  return events[0]!
}

/** A clock and timers that move only when they are told to. */
export class ManualTime {
  now = NOW
  readonly #timers = new Set<{ milliseconds: number; beat: () => void; next: number }>()

  clock = (): number => this.now

  every = (milliseconds: number, beat: () => void): (() => void) => {
    const timer = { milliseconds, beat, next: this.now + milliseconds }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  get timers(): number {
    return this.#timers.size
  }

  /** Lets time pass, and what the timers start run. */
  async pass(milliseconds: number): Promise<void> {
    const until = this.now + milliseconds
    for (;;) {
      const [first] = [...this.#timers].sort((a, b) => a.next - b.next)
      if (!first || first.next > until) break
      this.now = first.next
      first.next += first.milliseconds
      first.beat()
      await settled()
    }
    this.now = until
    await settled()
  }
}

/** Resolves when what has been started and waits for nothing outside has run. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export function memoryLog(): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = []
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)))
      done()
    }
  })
  return { log: pino({ level: 'debug', serializers: SERIALIZERS }, sink), lines }
}

export interface ActivityUnderTest {
  app: FastifyInstance
  store: MemoryActivityStore
  time: ManualTime
  /** Events that replays have sent. */
  sent: AssetEvent[]
  repairs: MemoryRepairStore
  deadLetters: MemoryDeadLetters
  lines: Record<string, unknown>[]
  lifecycle: Lifecycle
  /** A request with the password. */
  request: (options: InjectOptions) => Promise<LightMyRequestResponse>
  get: (url: string, headers?: Record<string, string>) => Promise<LightMyRequestResponse>
}

/** The activity role's server on a memory store, its clock at NOW. */
export async function buildActivity(
  t: Test,
  overrides: Partial<ActivityServerOptions> & { live?: Partial<LiveFeedOptions> } = {}
): Promise<ActivityUnderTest> {
  const { live, ...rest } = overrides
  const store = new MemoryActivityStore()
  const time = new ManualTime()
  const { log, lines } = memoryLog()
  const lifecycle = new Lifecycle()
  lifecycle.state = 'ready'
  const sent: AssetEvent[] = []
  const repairs = new MemoryRepairStore()
  const deadLetters = new MemoryDeadLetters()
  let runs = 0
  const used = rest.store ?? store
  const app = await buildActivityServer({
    log,
    store: used,
    liveFeed: new LiveFeed({ store: used, log, clock: time.clock, every: time.every, ...live }),
    repairs: new RepairRunner({
      store: used,
      repairs,
      journal: store.journal,
      discardEvent: store.discardEvent,
      deadLetters,
      every: rest.every ?? time.every,
      sender: { store: async (events) => void sent.push(...events) },
      log,
      clock: rest.clock ?? time.clock,
      newRunId: () => `run${++runs}`
    }),
    lifecycle,
    password: PASSWORD,
    readTokens: [TOKEN, 'another-token-of-the-site'],
    allowedOrigins: [SITE],
    clock: time.clock,
    every: time.every,
    ...rest
  })
  t.teardown(() => app.close())
  const request = (options: InjectOptions) =>
    app.inject({ ...options, headers: { ...basic(), ...options.headers } })
  return {
    app,
    store,
    time,
    sent,
    repairs,
    deadLetters,
    lines,
    lifecycle,
    request,
    get: (url, headers = {}) => request({ url, headers })
  }
}
