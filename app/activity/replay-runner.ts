import { ListenerError } from '../errors.ts'
import type { JournalReader } from '../journal/journal-reader.ts'
import type { Logger } from '../logger.ts'
import type { EventSender } from '../queue/event-sender.ts'
import { describeError } from '../worker/attempt-records.ts'
import type { ActivityStore } from './activity-store.ts'
import { type Lane, planReplay, type ReplayPlan, type ReplaySelection, runOf } from './replay-plan.ts'

export type { ReplaySelection } from './replay-plan.ts'

export interface ReplayRequest {
  selection: ReplaySelection
  /** Run only the processors that have not succeeded; otherwise all processors. */
  failedOnly: boolean
  /** User who started the replay. */
  by: string
}

/** An event that could not be sent. */
export interface ReplayFailure {
  id: string
  code: string
  message: string
}

export interface Replay {
  /** Also the id of the run. */
  id: string
  /** `failed`: the replay stopped before it had sent all events. */
  state: 'running' | 'done' | 'aborted' | 'failed'
  failedOnly: boolean
  by: string
  startedAt: string
  endedAt?: string
  /** Number of events selected. */
  total: number
  sent: number
  /** Number of events that could not be sent. */
  failed: number
  /** The first failures. */
  failures: readonly ReplayFailure[]
  /** The error that stopped the replay, in the state `failed`. */
  error?: { code: string; message: string }
}

export interface ReplayRunnerOptions {
  store: Pick<ActivityStore, 'list' | 'find'>
  journal: Pick<JournalReader, 'find'>
  sender: Pick<EventSender, 'store'>
  log: Logger
  /** Milliseconds since the epoch. */
  clock: () => number
  newRunId: () => string
  /** Maximum number of assets whose events are sent concurrently. */
  concurrency?: number
  /** Maximum duration of selecting events, in milliseconds. */
  selectWithinMs?: number
}

/** Default number of assets whose events are sent concurrently: more than one SQS batch. */
const CONCURRENCY = 16

const MAXIMUM_RUNNING = 4

/** Maximum number of ended replays in memory. */
const MAXIMUM_ENDED = 100

const MAXIMUM_FAILURES = 20

/** Less than the idle time-out of an ALB (60 s). */
const SELECT_MS = 50_000

interface Running {
  replay: Replay
  failures: ReplayFailure[]
  abort: AbortController
  ended: Promise<void>
}

/** Replays events in the background: each once, in order per asset. Replays are in memory only. */
export class ReplayRunner {
  readonly #options: Required<ReplayRunnerOptions>
  readonly #replays = new Map<string, Running>()
  #selecting = 0

  constructor(options: ReplayRunnerOptions) {
    this.#options = { concurrency: CONCURRENCY, selectWithinMs: SELECT_MS, ...options }
  }

  /** Counts the events that a replay would send. */
  async count({ selection, failedOnly }: Omit<ReplayRequest, 'by'>, signal: AbortSignal): Promise<number> {
    const { total } = await this.#plan(selection, failedOnly, signal)
    return total
  }

  /**
   * Starts a replay; resolves once its events are selected.
   *
   * @throws {ListenerError} JOURNAL_UNAVAILABLE; REPLAY_TOO_LARGE; REPLAYS_BUSY if too many replays run
   */
  async start(request: ReplayRequest, signal: AbortSignal): Promise<Replay> {
    const { selection, failedOnly, by } = request
    const { log, newRunId } = this.#options
    this.#checkRoom()
    this.#selecting++
    let plan: ReplayPlan
    try {
      plan = await this.#plan(selection, failedOnly, signal)
    } finally {
      this.#selecting--
    }
    const failures = plan.unknown.slice(0, MAXIMUM_FAILURES).map((id) => ({
      id,
      code: 'EVENT_UNKNOWN',
      message: 'the journal does not know this event'
    }))
    const replay: Replay = {
      id: newRunId(),
      state: 'running',
      failedOnly,
      by,
      startedAt: this.#now(),
      total: plan.total + plan.unknown.length,
      sent: 0,
      failed: plan.unknown.length,
      failures: []
    }
    const abort = new AbortController()
    const running = { replay, failures, abort, ended: Promise.resolve() }
    this.#replays.set(replay.id, running)
    this.#forgetEnded()
    // without the ids: the journal has the run of each event
    const filter = 'filter' in selection ? { filter: selection.filter } : {}
    log.info({ run: replay.id, by, failedOnly, events: replay.total, ...filter }, 'replay started')
    running.ended = this.#run(running, plan.lanes)
    return snapshot(running)
  }

  /** Returns a replay of this process by its id. */
  find(id: string): Replay | undefined {
    const running = this.#replays.get(id)
    return running && snapshot(running)
  }

  /** Stops a replay. Workers still process the events that have been sent. */
  async abort(id: string, by: string): Promise<Replay | undefined> {
    const running = this.#replays.get(id)
    if (!running) return undefined
    if (running.replay.state === 'running') this.#options.log.info({ run: id, by }, 'replay abort requested')
    running.abort.abort()
    await running.ended
    return snapshot(running)
  }

  /** Stops all replays. */
  async stop(): Promise<void> {
    for (const { abort } of this.#replays.values()) abort.abort()
    await Promise.all([...this.#replays.values()].map(({ ended }) => ended))
  }

  #checkRoom(): void {
    const running = [...this.#replays.values()].filter(({ replay }) => replay.state === 'running').length
    if (running + this.#selecting >= MAXIMUM_RUNNING) {
      throw new ListenerError('REPLAYS_BUSY', `${MAXIMUM_RUNNING} replays run; wait for one or abort it`)
    }
  }

  async #plan(selection: ReplaySelection, failedOnly: boolean, signal: AbortSignal): Promise<ReplayPlan> {
    const deadline = AbortSignal.timeout(this.#options.selectWithinMs)
    try {
      const options = { store: this.#options.store, failedOnly, signal: AbortSignal.any([signal, deadline]) }
      return await planReplay(selection, options)
    } catch (error) {
      if (!deadline.aborted) throw error
      const message = 'selecting the events takes too long; narrow the filter, by from and until for example'
      throw new ListenerError('REPLAY_TOO_LARGE', message, { cause: error })
    }
  }

  async #run(running: Running, lanes: readonly Lane[]): Promise<void> {
    const { replay, abort } = running
    const { log, concurrency } = this.#options
    const queue = lanes.values()
    const sendLanes = async () => {
      for (const lane of queue) {
        for (const id of lane) {
          if (abort.signal.aborted) return
          await this.#send(id, running)
        }
      }
    }
    await Promise.all(Array.from({ length: concurrency }, sendLanes))
    replay.state = replay.error ? 'failed' : replay.sent + replay.failed < replay.total ? 'aborted' : 'done'
    replay.endedAt = this.#now()
    const { id: run, state, total, sent, failed, by } = replay
    log.info({ run, by, state, events: total, sent, failed, ...replay.error }, 'replay ended')
  }

  /** Sends one event. Records errors of the event; an error of the journal or the queue stops the replay. */
  async #send(id: string, { replay, failures, abort }: Running): Promise<void> {
    try {
      const found = await this.#options.journal.find(id)
      if (!found) throw new ListenerError('EVENT_UNKNOWN', 'the journal does not know this event any more')
      if (!found.event) {
        throw new ListenerError('PAYLOAD_MISSING', 'the payload was too large for the journal to keep')
      }
      const run = runOf(replay.id, replay.failedOnly, found)
      // do not abort the call: it would remain unknown if the event was sent
      await this.#options.sender.store([{ ...found.event, run }], NEVER)
      replay.sent++
    } catch (error) {
      if (isOfEvent(error)) {
        replay.failed++
        if (failures.length < MAXIMUM_FAILURES) failures.push({ id, ...describeError(error) })
      } else {
        replay.error ??= describeError(error)
        abort.abort()
      }
    }
  }

  #forgetEnded(): void {
    const ended = [...this.#replays.values()].filter(({ replay }) => replay.state !== 'running')
    for (const { replay } of ended.slice(0, -MAXIMUM_ENDED)) this.#replays.delete(replay.id)
  }

  #now(): string {
    return new Date(this.#options.clock()).toISOString()
  }
}

const NEVER = new AbortController().signal

const OF_EVENT = ['EVENT_UNKNOWN', 'PAYLOAD_MISSING', 'EVENT_TOO_LARGE']

/** Returns whether an error affects one event only. A ListenerError as cause: SQS rejected this message. */
const isOfEvent = (error: unknown): boolean =>
  error instanceof ListenerError &&
  (OF_EVENT.includes(error.code) ||
    (error.code === 'QUEUE_UNAVAILABLE' && error.cause instanceof ListenerError))

const snapshot = ({ replay, failures }: Running): Replay => ({ ...replay, failures: [...failures] })
