import { ListenerError } from '../errors.ts'
import type { RunOrigin } from '../ingest/event.ts'
import { type StartInterval, startInterval } from '../interval.ts'
import type { JournalReader } from '../journal/journal-reader.ts'
import type { Logger } from '../logger.ts'
import { maskSecrets } from '../mask.ts'
import type { EventSender } from '../queue/event-sender.ts'
import type { ActivityEvent } from './activity-store.ts'
import type { DeadLetterQueue } from './dead-letter-sweep.ts'
import { type DiscardEvent, discardEvents } from './discard-events.ts'
import { type Repair, type RepairStore, withStaleness } from './repair.ts'
import { countEvents, type RepairCounts } from './repair-count.ts'
import { SweepQueue } from './repair-dead-letters.ts'
import {
  type EventSelection,
  isRedrivable,
  planRepair,
  type RepairPlan,
  type SelectingStore
} from './repair-plan.ts'
import { RepairProgress } from './repair-progress.ts'
import { replayEvents } from './replay-events.ts'

/** What to do with the selected events. */
export type RepairAction =
  /** Runs processors again: those that have not succeeded, or all. */
  | { kind: 'replay'; failedOnly: boolean }
  /** Discards dead events. */
  | { kind: 'discard'; reason: string }

export type RepairRequest = RepairAction & { selection: EventSelection } & Omit<RunOrigin, 'at'>

export interface RepairRunnerOptions {
  store: SelectingStore
  repairs: RepairStore
  journal: Pick<JournalReader, 'find'>
  discardEvent: DiscardEvent
  sender: Pick<EventSender, 'store'>
  deadLetters: DeadLetterQueue
  log: Logger
  /** Milliseconds since the epoch. */
  clock: () => number
  newRunId: () => string
  every?: StartInterval
  /** Maximum number of assets whose events are sent concurrently. */
  concurrency?: number
  /** Maximum duration of selecting events, in milliseconds. */
  selectWithinMs?: number
  /** Maximum number of dead letters that a repair looks at. (Default: 10,000) */
  maximumDeadLetters?: number
}

/** Default number of assets whose events are sent concurrently: more than one SQS batch. */
const CONCURRENCY = 16

const MAX_RUNNING = 4

/**
 * Default maximum duration of selecting events, in milliseconds. Less than the idle timeout of an ALB,
 * 60 s.
 */
const SELECT_MS = 50_000

interface Running {
  progress: RepairProgress
  ended: Promise<void>
}

/**
 * Replays or discards events in the background. The store has the progress, so any task can show and abort a
 * repair; a repair ends with the process that runs it.
 */
export class RepairRunner {
  readonly #options: RepairRunnerOptions & { every: StartInterval; concurrency: number }
  readonly #sweeps = new SweepQueue()
  /** Repairs that run in this process. */
  readonly #running = new Map<string, Running>()
  #selecting = 0

  constructor(options: RepairRunnerOptions) {
    this.#options = { concurrency: CONCURRENCY, every: startInterval, ...options }
  }

  /**
   * Counts the events of a selection, up to a limit.
   *
   * @throws {ListenerError} JOURNAL_UNAVAILABLE
   */
  count(selection: EventSelection, kind: RepairAction['kind'], signal: AbortSignal): Promise<RepairCounts> {
    const { store, clock } = this.#options
    return countEvents(narrowed(selection, kind), { store, clock, signal })
  }

  /**
   * Starts a repair; resolves once its events are selected.
   *
   * @throws {ListenerError} JOURNAL_UNAVAILABLE; REPLAY_TOO_LARGE; REPLAYS_BUSY if too many repairs run
   */
  async start(request: RepairRequest, signal: AbortSignal): Promise<Repair> {
    const { selection, by, from, ...requested } = request
    const action = withMaskedReason(requested)
    const { log, newRunId, repairs: store, clock, every } = this.#options
    this.#checkRoom()
    this.#selecting++
    let progress: RepairProgress
    let plan: RepairPlan
    try {
      const at = new Date(clock()).toISOString()
      plan = await this.#plan(selection, action, signal)
      const repair: Repair = {
        ...{ id: newRunId(), state: 'running', by, at, from, updatedAt: at, ...action },
        ...{ total: plan.total + plan.unknown.length, sent: 0, discarded: 0, failed: 0, failures: [] }
      }
      progress = new RepairProgress(repair, { store, log, clock, every })
      for (const id of plan.unknown) progress.failedEvent(id, UNKNOWN)
      await progress.begin()
    } finally {
      this.#selecting--
    }
    const { id, kind, total } = progress.repair
    // the ids are not logged: the journal has the run of each event
    const filter = 'filter' in selection ? { filter: selection.filter } : {}
    const { kind: _, ...details } = action
    log.info({ run: id, by, from, ...details, events: total, ...filter }, `${kind} started`)
    const running = { progress, ended: Promise.resolve() }
    this.#running.set(id, running)
    running.ended = this.#run(progress, plan)
    return progress.repair
  }

  /**
   * Returns a repair of any process by its id.
   *
   * @throws {ListenerError} JOURNAL_UNAVAILABLE
   */
  async find(id: string): Promise<Repair | undefined> {
    const running = this.#running.get(id)
    if (running) return running.progress.repair
    const repair = await this.#options.repairs.find(id)
    return repair && withStaleness(repair, this.#options.clock())
  }

  /**
   * Returns the newest repairs of all processes, newest first.
   *
   * @throws {ListenerError} JOURNAL_UNAVAILABLE
   */
  async recent(signal: AbortSignal): Promise<readonly Repair[]> {
    const repairs = await this.#options.repairs.recent(signal)
    return repairs.map(
      (repair) =>
        this.#running.get(repair.id)?.progress.repair ?? withStaleness(repair, this.#options.clock())
    )
  }

  /**
   * Stops a repair: one of this process at once, one of another process within about a second. Workers
   * still process the events that were already sent.
   *
   * @throws {ListenerError} JOURNAL_UNAVAILABLE
   */
  async abort(id: string, by: string): Promise<Repair | undefined> {
    const running = this.#running.get(id)
    if (running) {
      running.progress.abort(by)
      await running.ended
      return running.progress.repair
    }
    const repair = await this.find(id)
    // a repair that looks lost may still run: its process may be unable to record progress
    if (repair?.state !== 'running' && repair?.state !== 'lost') return repair
    await this.#options.repairs.requestAbort(id, by)
    return { ...repair, abortedBy: by }
  }

  /** Stops all repairs of this process. */
  async stop(): Promise<void> {
    const running = [...this.#running.values()]
    for (const { progress } of running) progress.abort('shutdown of the activity role')
    await Promise.all(running.map(({ ended }) => ended))
  }

  #checkRoom(): void {
    if (this.#running.size + this.#selecting >= MAX_RUNNING) {
      throw new ListenerError('REPLAYS_BUSY', `${MAX_RUNNING} repairs run; wait for one or abort it`)
    }
  }

  async #plan(selection: EventSelection, action: RepairAction, signal: AbortSignal): Promise<RepairPlan> {
    const { store, selectWithinMs = SELECT_MS } = this.#options
    const deadline = AbortSignal.timeout(selectWithinMs)
    try {
      return await planRepair(narrowed(selection, action.kind), {
        store,
        isWanted: wantedBy(action),
        signal: AbortSignal.any([signal, deadline])
      })
    } catch (error) {
      if (!deadline.aborted) throw error
      const message = 'selecting the events takes too long; narrow the filter, by from and until for example'
      throw new ListenerError('REPLAY_TOO_LARGE', message, { cause: error })
    }
  }

  async #run(progress: RepairProgress, { lanes }: RepairPlan): Promise<void> {
    const options = { ...this.#options, sweeps: this.#sweeps }
    const { id, kind } = progress.repair
    const isComplete = await (kind === 'replay' ? replayEvents : discardEvents)(lanes, progress, options)
    await progress.end(isComplete)
    this.#running.delete(id)
  }
}

const UNKNOWN = new ListenerError('EVENT_UNKNOWN', 'the journal does not know this event')

/**
 * Limits the selection of a discard to dead events: only those can be discarded, and their index is small.
 */
function narrowed(selection: EventSelection, kind: RepairAction['kind']): EventSelection {
  if (kind === 'replay' || 'ids' in selection) return selection
  const { filter } = selection
  const status = filter.status && !filter.status.includes('dead') ? [] : ['dead' as const]
  return { filter: { ...filter, status } }
}

/** Masks secrets in the reason: it is shown, logged and journaled, and somebody may paste a URL into it. */
const withMaskedReason = (action: RepairAction): RepairAction =>
  action.kind === 'discard' ? { ...action, reason: maskSecrets(action.reason) } : action

const wantedBy = (action: RepairAction): ((event: ActivityEvent) => boolean) => {
  if (action.kind === 'discard') return ({ status }) => status === 'dead'
  return action.failedOnly ? isRedrivable : () => true
}
