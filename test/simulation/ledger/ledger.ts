import { CloudinaryError } from '../../../app/cloudinary/cloudinary-error.ts'
import type { AssetEvent } from '../../../app/ingest/event.ts'
import type { StoredMessage } from '../models/sqs-messages.ts'
import { GRACE_MS, type Scheduler, type SimulatedProcess, START } from '../scheduler.ts'
import { AttemptTracker } from './attempt-tracker.ts'
import { type Change, ChangeTracker, type NewChange } from './change-tracker.ts'
import { type Guarantee, Violation } from './guarantee.ts'
import { type Run, workKey } from './run.ts'

export interface LedgerOptions {
  scheduler: Scheduler
  /** Messages of the queue, in order. */
  queued: () => readonly StoredMessage[]
  /** Returns the period in which Cloudinary was down or limited calls, if it was. */
  outageOf: (cloud: string, from: number, until: number) => object | undefined
  story: string[] | undefined
}

/** Codes of errors that are dead-lettered without further attempts. */
const PERMANENT_CODES = [
  'SIM_PERMANENT',
  'CLOUDINARY_NOT_FOUND',
  'CLOUDINARY_REJECTED',
  'ASSET_KIND_UNKNOWN',
  'WAIT_TOO_LONG'
]

const MAX_ATTEMPTS = 12

/** A call of Cloudinary takes 30 s at most. */
const CALL_MS = 31_000

/** What really happened, kept beside the listener, and the invariants about it. */
export class Ledger {
  readonly changes = new ChangeTracker()
  readonly attempts = new AttemptTracker()
  readonly #options: LedgerOptions
  readonly #runs = new Map<string, Run>()
  readonly #writes = new Map<string, number>()
  violation: Violation | undefined

  constructor(options: LedgerOptions) {
    this.#options = options
  }

  /** Adds a line to the story. */
  tell(line: string): void {
    const { story, scheduler } = this.#options
    if (!story) return
    const at = new Date(scheduler.now).toISOString().slice(11, 23)
    story.push(`${at} ${scheduler.current ? `${scheduler.current.name}: ` : ''}${line}`)
  }

  /** Records the first violation; the simulation then ends. */
  violated(guarantee: Guarantee, message: string): void {
    if (this.violation) return
    this.violation = new Violation(guarantee, message)
    this.tell(`VIOLATED ${this.violation.message}`)
  }

  changed(given: NewChange): Change {
    const change = this.changes.add(given)
    this.tell(`${given.isOwn ? 'the listener' : 'a user'} makes ${change.name} in ${given.cloud}`)
    return change
  }

  /** A processor starts for an event. */
  started(processor: string, event: AssetEvent, signal: AbortSignal): Run {
    const { scheduler, queued } = this.#options
    const process = scheduler.current!
    const key = workKey(event, processor)
    const before = this.#runs.get(key)
    const change = this.changes.of(event)
    this.tell(`runs ${processor} for ${change?.name ?? event.id}${event.run ? ` (${event.run.kind})` : ''}`)
    const deduplicationId = event.run ? `${event.id}.${event.run.id}` : event.id
    const messages = queued().filter(({ asset }) => asset === event.group)
    const own = messages.find((message) => message.deduplicationId === deduplicationId)
    // a worker that has lost its lease may not know it yet
    const held = own ?? messages.find(({ visibleAt }) => visibleAt > scheduler.now)
    const hasLease = held?.receiver === process
    // its start supersedes the attempt of the worker that has the lease
    if (!hasLease) for (const run of this.#runs.values()) if (run.event.id === event.id) this.#excuse(run)
    if (before && (before.isLost || isOverdue(before.process, scheduler.now))) this.#excuse(before)
    if (before?.state === 'succeeded' && !before.isExcused && hasLease) {
      this.violated(
        '5 effectively once',
        `${processor} runs again for ${change?.name ?? event.id}, after a success in ${before.process.name}`
      )
    }
    const earlier = own && messages.find(({ sequence }) => sequence < own.sequence)
    if (earlier && hasLease) {
      this.violated(
        '4 in order per asset',
        `${processor} runs for ${change?.name ?? event.id} while ${earlier.deduplicationId} waits`
      )
    }
    if (change) this.#identify(change, event)
    // a worker cannot know a key that was rotated in while it could not read the secret
    const mayKnow = change && (change.ownKeySince === START || change.ownKeySince >= process.secretFailedAt)
    if (mayKnow && change.isOwn && change.statesOrigin && processor !== 'audit' && event.type !== 'eager') {
      this.violated('6 no loops', `${processor} runs for a change of the listener's own: ${change.name}`)
    }
    const run: Run = {
      event,
      processor,
      process,
      signal,
      startedAt: scheduler.now,
      state: 'running',
      failure: undefined,
      isLost: !hasLease,
      isRecorded: false,
      isExcused: false
    }
    this.#runs.set(key, run)
    this.attempts.called(run)
    // a run that ignores its signal never ends
    signal.addEventListener('abort', () => this.#aborted(run), { once: true })
    return run
  }

  succeeded(run: Run): void {
    run.state = 'succeeded'
    this.changes.of(run.event)?.done.add(run.processor)
    if (run.signal.aborted) run.isExcused = true
  }

  failed(run: Run, error: unknown): void {
    if (run.state !== 'running') return
    run.state = 'failed'
    const { scheduler, outageOf } = this.#options
    const isOfCloudinary = error instanceof CloudinaryError && error.failure.kind !== 'permanent'
    const { now } = scheduler
    const outage = isOfCloudinary && outageOf(run.event.environment, now - CALL_MS, now)
    run.failure = outage || 'its own'
  }

  /** A process was killed: what it had not recorded may happen again. */
  killed(process: SimulatedProcess): void {
    for (const run of this.#runs.values()) {
      if (run.process === process) this.#lost(run)
    }
  }

  /** The lease of a message ran out while it was held. */
  leaseLost({ group, deduplicationId, receivedAt, holder }: StoredMessage): void {
    this.tell(`the lease of message ${deduplicationId.slice(0, 8)} has run out`)
    const isHealthy =
      holder && !holder.dead && Math.max(holder.pausedUntil, holder.queueFailedAt) < receivedAt
    if (isHealthy && holder.name.startsWith('worker')) {
      this.violated(
        '5 effectively once',
        `${holder.name} loses the lease of ${deduplicationId} without a reason`
      )
    }
    for (const run of this.#runs.values()) if (run.event.group === group) this.#lost(run)
  }

  #lost(run: Run): void {
    run.isLost = true
    this.#excuse(run)
  }

  /** It took too long, or its worker lost the lease or stops. */
  #aborted(run: Run): void {
    if (run.state === 'succeeded') this.#excuse(run)
    if (run.state !== 'running') return
    if (run.signal.reason?.code === 'PROCESSOR_TIMEOUT') this.failed(run, run.signal.reason)
    else run.state = 'interrupted'
  }

  #excuse(run: Run): void {
    if (!run.isRecorded) run.isExcused = true
  }

  /** A message was stored in the dead-letter queue. */
  deadLettered({ body, attributes }: StoredMessage): void {
    const event = JSON.parse(body) as AssetEvent
    const processor = attributes.processor?.StringValue
    const code = attributes.code?.StringValue
    const change = this.changes.of(event)
    this.tell(`dead letter of ${processor} for ${change?.name ?? event.id}: ${code}`)
    if (!code || !attributes.message?.StringValue || !processor) {
      this.violated('7 nothing is lost', `the dead letter of ${change?.name ?? event.id} has no reason`)
      return
    }
    change?.done.add(processor)
    if (PERMANENT_CODES.includes(code)) return
    const spent = this.attempts.spent(processor, event, code)
    if (spent < MAX_ATTEMPTS) {
      this.violated(
        '7 attempts',
        `${processor} is dead for ${change?.name ?? event.id} after ${spent} attempts that count: ${code}`
      )
    }
  }

  #identify(change: Change, { id }: AssetEvent): void {
    const other = this.changes.identify(change, id)
    if (change.eventIds.size > 1 && !this.changes.isAmbiguous(change)) {
      this.violated(
        '5 effectively once',
        `${change.name} is several events: ${[...change.eventIds].join(', ')}`
      )
    }
    if (other) this.violated('5 distinct identities', `${other.name} and ${change.name} are one event, ${id}`)
  }

  /** The listener changed an asset. */
  wrote(assetId: string): void {
    this.#writes.set(assetId, (this.#writes.get(assetId) ?? 0) + 1)
    const users = this.changes.all.filter((change) => change.assetId === assetId && !change.isOwn).length
    // a tag and a stamp per change, and a stamp for the tag if its author is not stated; twice for a kill
    if (this.#writes.get(assetId)! > 8 * users + 8) {
      this.violated('6 no loops', `${this.#writes.get(assetId)} writes to ${assetId} for ${users} changes`)
    }
  }
}

/** Returns whether a process that stops has aborted what still ran. */
const isOverdue = ({ stoppedAt }: SimulatedProcess, now: number): boolean => now >= stoppedAt + GRACE_MS
