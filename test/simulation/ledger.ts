import { CloudinaryError } from '../../app/cloudinary/cloudinary-error.ts'
import type { AssetEvent } from '../../app/ingest/event.ts'
import { replayOf } from '../../app/ingest/event.ts'
import { RETRY_SPAN_MS } from '../../app/ingest/event-identity.ts'
import type { Asset, Fields } from './models/notification-bodies.ts'
import type { StoredMessage } from './models/sqs.ts'
import type { ChangeKind } from './plan.ts'
import { type Scheduler, type SimulatedProcess, START } from './scheduler.ts'

/** The guarantees, by their number in docs/guarantees.md. */
export type Guarantee =
  | '1 stored, then acknowledged'
  | '2 verified before parsed'
  | '3 one event per asset'
  | '4 in order per asset'
  | '5 effectively once'
  | '5 distinct identities'
  | '6 no loops'
  | '7 nothing is lost'
  | '7 attempts'
  | '7 at rest'
  | '8 shutdown'
  | '9 secrets'
  | '10 nothing is guessed'

/** Thrown when an invariant does not hold. */
export class Violation extends Error {
  readonly guarantee: Guarantee

  constructor(guarantee: Guarantee, message: string) {
    super(`${guarantee}: ${message}`)
    this.name = 'Violation'
    this.guarantee = guarantee
  }
}

/** One change of one asset in Cloudinary, and what became of it. */
export interface Change {
  name: string
  cloud: string
  type: ChangeKind
  assetId: string | undefined
  kind: string | undefined
  at: number
  isOwn: boolean
  /** The body names the author. */
  statesOrigin: boolean
  /** The body states no time, so the same bytes may report another change. */
  isTimeless: boolean
  body: string
  isAcknowledged: boolean
  /** It waits in a poll channel. */
  isInChannel: boolean
  /** Set for an upload: the name of its content. */
  upload: string | undefined
  /** By the processor: it succeeded, or the event was dead-lettered. */
  done: Set<string>
  eventIds: Set<string>
}

interface Run {
  event: AssetEvent
  processor: string
  process: SimulatedProcess
  signal: AbortSignal
  startedAt: number
  /** `lost`: its worker was killed or lost the lease. */
  state: 'running' | 'succeeded' | 'failed' | 'lost'
  /** The worker was killed or lost its lease before the journal had the success. */
  isExcused: boolean
}

/** Failures of a processor for an event, since its last redrive or replay. */
interface Failures {
  counted: number
  /** Periods of trouble with a failed call to Cloudinary. Each may spend one attempt. */
  troubles: Set<unknown>
}

export interface LedgerOptions {
  scheduler: Scheduler
  /** Whether the journal has recorded the success of a processor. */
  isRecorded: (event: AssetEvent, processor: string) => boolean
  /** Messages of the queue, in order. */
  queued: () => readonly StoredMessage[]
  /** Returns the period in which Cloudinary was down or limited calls, if it was. */
  troubleOf: (cloud: string, from: number, until: number) => object | undefined
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

const MAXIMUM_ATTEMPTS = 12

const NO_FAILURES: Failures = { counted: 0, troubles: new Set() }

/** The last retry is signed up to 40 minutes after the change. */
const LAST_RETRY_MS = 41 * 60_000

/** A call of Cloudinary takes 30 s at most. */
const CALL_MS = 31_000

/** What really happened, kept beside the listener, and the invariants about it. */
export class Ledger {
  readonly changes: Change[] = []
  readonly #options: LedgerOptions
  readonly #byName = new Map<string, Change>()
  /** Changes by everything that an event may name them by. */
  readonly #lookup = new Map<string, Change>()
  readonly #ambiguous = new Set<Change>()
  readonly #byEventId = new Map<string, Change>()
  readonly #runs = new Map<string, Run>()
  readonly #failures = new Map<string, Failures>()
  /** Lost leases without a call of a processor, by message group. */
  readonly #unseen = new Map<string, number>()
  readonly #starts = new Map<string, number>()
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

  changed(given: {
    number: number
    cloud: string
    type: ChangeKind
    asset: Asset | undefined
    at: number
    isOwn: boolean
    statesOrigin: boolean
    isTimeless: boolean
    body: Buffer
  }): Change {
    const { number, cloud, type, asset, body, ...rest } = given
    const name = `${type} ${number}${asset ? ` of ${asset.asset_id.slice(0, 4)}` : ''}`
    const change: Change = {
      name,
      cloud,
      type,
      assetId: asset?.asset_id,
      kind: asset?.resource_type,
      ...rest,
      body: body.toString(),
      isAcknowledged: false,
      isInChannel: false,
      upload: type === 'upload' ? uploadKey(cloud, asset!.asset_id, asset!.version, asset!.etag) : undefined,
      done: new Set(),
      eventIds: new Set()
    }
    this.changes.push(change)
    this.#byName.set(name, change)
    const payload = payloadOf(change)
    if (!change.isTimeless) this.#lookup.set(statedKey(payload, cloud), change)
    if (change.upload) this.#lookup.set(change.upload, change)
    this.tell(`${given.isOwn ? 'the listener' : 'a user'} makes ${name} in ${cloud}`)
    return change
  }

  /** A delivery was signed, at a Unix time in seconds. */
  signed(changes: readonly Change[], timestamp: number): void {
    for (const change of changes.filter(({ isTimeless }) => isTimeless)) {
      const key = timelessKey(payloadOf(change), change.cloud, timestamp * 1000)
      const other = this.#lookup.get(key)
      // the same change of an asset twice in a second, in different bodies: an event does not tell which
      if (other && other !== change) this.#ambiguous.add(other).add(change)
      this.#lookup.set(key, change)
    }
  }

  /** Returns the change that an event reports. */
  changeOf(event: AssetEvent): Change | undefined {
    const { payload, environment, signedAt } = event
    if (event.type === 'upload' && event.reconciled) {
      const { asset_id, version, etag } = payload
      return this.#lookup.get(uploadKey(environment, String(asset_id), Number(version), String(etag)))
    }
    if (event.reconciled) return undefined
    return signedAt === undefined
      ? this.#lookup.get(statedKey(payload, environment))
      : this.#lookup.get(timelessKey(payload, environment, Date.parse(signedAt)))
  }

  /** A processor starts for an event. */
  started(processor: string, event: AssetEvent, signal: AbortSignal): Run {
    const { scheduler, queued } = this.#options
    const process = scheduler.current!
    const key = runKey(event, processor)
    const before = this.#runs.get(key)
    const change = this.changeOf(event)
    this.tell(`runs ${processor} for ${change?.name ?? event.id}${event.run ? ` (${event.run.kind})` : ''}`)
    const deduplicationId = event.run ? `${event.id}.${event.run.id}` : event.id
    const messages = queued().filter(({ asset }) => asset === event.group)
    const own = messages.find((message) => message.deduplicationId === deduplicationId)
    // a worker that has lost its lease may not know it yet
    const held = own ?? messages.find(({ visibleAt }) => visibleAt > scheduler.now)
    const hasLease = held?.receiver === process
    // its start supersedes the attempt of the worker that has the lease
    if (!hasLease) for (const run of this.#runs.values()) if (run.event.id === event.id) this.#excuse(run)
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
    if (change?.isOwn && change.statesOrigin && processor !== 'audit' && event.type !== 'eager') {
      this.violated('6 no loops', `${processor} runs for a change of the listener's own: ${change.name}`)
    }
    const attempt = failureKey(event, processor)
    this.#starts.set(attempt, (this.#starts.get(attempt) ?? 0) + 1)
    const run: Run = {
      event,
      processor,
      process,
      signal,
      startedAt: scheduler.now,
      state: 'running',
      isExcused: false
    }
    this.#runs.set(key, run)
    // a run that ignores its signal never ends
    signal.addEventListener('abort', () => this.#aborted(run), { once: true })
    return run
  }

  /** How often a processor was started for an event, in this redrive or replay. */
  startsOf(processor: string, event: AssetEvent): number {
    return this.#starts.get(failureKey(event, processor)) ?? 0
  }

  succeeded(run: Run): void {
    run.state = 'succeeded'
    this.changeOf(run.event)?.done.add(run.processor)
    if (run.signal.aborted) run.isExcused = true
    this.#failures.delete(failureKey(run.event, run.processor))
  }

  failed(run: Run, error: unknown): void {
    if (run.state !== 'running') return
    run.state = 'failed'
    const { scheduler, troubleOf } = this.#options
    const isOfCloudinary = error instanceof CloudinaryError && error.failure.kind !== 'permanent'
    const { now } = scheduler
    this.#countFailure(run, isOfCloudinary ? troubleOf(run.event.environment, now - CALL_MS, now) : undefined)
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
    const isHealthy = holder && !holder.dead && Math.max(holder.pausedUntil, holder.troubledAt) < receivedAt
    if (isHealthy && holder.name.startsWith('worker')) {
      this.violated(
        '5 effectively once',
        `${holder.name} loses the lease of ${deduplicationId} without a reason`
      )
    }
    let isSeen = false
    for (const run of this.#runs.values()) {
      if (run.event.group !== group) continue
      this.#lost(run)
      isSeen ||= run.startedAt >= receivedAt && run.state === 'lost'
    }
    // an attempt counts from its start in the journal, which may be before the processor was called
    if (!isSeen) this.#unseen.set(group, (this.#unseen.get(group) ?? 0) + 1)
  }

  #lost(run: Run): void {
    if (run.state === 'running') {
      this.#countFailure(run, undefined)
      run.state = 'lost'
    }
    this.#excuse(run)
  }

  /** It took too long, or its worker lost the lease or stops. */
  #aborted(run: Run): void {
    if (run.state === 'succeeded') this.#excuse(run)
    if (run.state !== 'running') return
    if (run.signal.reason?.code === 'PROCESSOR_TIMEOUT') this.failed(run, run.signal.reason)
    else {
      run.state = 'failed'
      // its start counts if the worker ends before it can record the interruption
      this.#unseen.set(run.event.group, (this.#unseen.get(run.event.group) ?? 0) + 1)
    }
  }

  #excuse(run: Run): void {
    if (!this.#options.isRecorded(run.event, run.processor)) run.isExcused = true
  }

  #countFailure({ event, processor }: Run, trouble: object | undefined): void {
    const key = failureKey(event, processor)
    const failures = this.#failures.get(key) ?? { counted: 0, troubles: new Set() }
    if (trouble) failures.troubles.add(trouble)
    else failures.counted++
    this.#failures.set(key, failures)
  }

  /** A message was stored in the dead-letter queue. */
  deadLettered({ body, attributes }: StoredMessage): void {
    const event = JSON.parse(body) as AssetEvent
    const processor = attributes.processor?.StringValue
    const code = attributes.code?.StringValue
    const change = this.changeOf(event)
    this.tell(`dead letter of ${processor} for ${change?.name ?? event.id}: ${code}`)
    if (!code || !attributes.message?.StringValue || !processor) {
      this.violated('7 nothing is lost', `the dead letter of ${change?.name ?? event.id} has no reason`)
      return
    }
    change?.done.add(processor)
    if (PERMANENT_CODES.includes(code)) return
    const { counted, troubles } = this.#failures.get(failureKey(event, processor)) ?? NO_FAILURES
    const unseen = this.#unseen.get(event.group) ?? 0
    if (counted + troubles.size + unseen < MAXIMUM_ATTEMPTS) {
      this.violated(
        '7 attempts',
        `${processor} is dead for ${change?.name ?? event.id} after ${counted} failures that count: ${code}`
      )
    }
  }

  #identify(change: Change, { id }: AssetEvent): void {
    const other = this.#byEventId.get(id)
    this.#byEventId.set(id, other ?? change)
    change.eventIds.add(id)
    if (change.eventIds.size > 1 && !this.#ambiguous.has(change)) {
      this.violated(
        '5 effectively once',
        `${change.name} is several events: ${[...change.eventIds].join(', ')}`
      )
    }
    if (other === undefined || other === change || areOne(other, change)) return
    this.violated('5 distinct identities', `${other.name} and ${change.name} are one event, ${id}`)
  }

  /** The listener changed an asset. */
  wrote(assetId: string): void {
    this.#writes.set(assetId, (this.#writes.get(assetId) ?? 0) + 1)
    const users = this.changes.filter((change) => change.assetId === assetId && !change.isOwn).length
    // a tag and a stamp per change, and a stamp for the tag if its author is not stated; twice for a kill
    if (this.#writes.get(assetId)! > 8 * users + 8) {
      this.violated('6 no loops', `${this.#writes.get(assetId)} writes to ${assetId} for ${users} changes`)
    }
  }

  /** Changes that a notification reported, which must have been processed or dead-lettered by now. */
  checkNothingLost(processors: readonly string[]): void {
    for (const change of this.changes) {
      if (!change.isAcknowledged || (change.isOwn && change.statesOrigin) || this.#ambiguous.has(change))
        continue
      for (const processor of processors) {
        if (change.done.has(processor)) continue
        const same = this.changes.some(
          (other) => other !== change && other.done.has(processor) && areOne(other, change)
        )
        if (!same)
          this.violated(
            '7 nothing is lost',
            `${processor} never ran for ${change.name}, which was acknowledged`
          )
      }
    }
  }

  /** The last upload of an asset is found by a search, whatever became of its notification. */
  checkUploadFound(cloud: string, asset: Asset, processor: string): void {
    // the same content again within a second, after a delete, is one event
    const key = uploadKey(cloud, asset.asset_id, asset.version, asset.etag)
    const changes = this.changes.filter(({ upload }) => upload === key)
    if (changes.length > 0 && !changes.some(({ done }) => done.has(processor))) {
      this.violated(
        '7 nothing is lost',
        `${processor} never ran for ${changes[0]!.name}, which a search finds`
      )
    }
  }
}

/** Whether two changes may be one event: the documented limits. */
function areOne(a: Change, b: Change): boolean {
  if (a.upload !== undefined) return a.upload === b.upload
  const isSame =
    a.isTimeless && b.isTimeless && a.cloud === b.cloud && a.body === b.body && a.assetId === b.assetId
  return isSame && Math.abs(a.at - b.at) <= RETRY_SPAN_MS + LAST_RETRY_MS
}

const uploadKey = (cloud: string, assetId: string, version: number, etag: string) =>
  `upload ${cloud} ${assetId} ${version} ${etag}`

function statedKey({ request_id, notification_context: context, asset_id }: Fields, cloud: string): string {
  return `stated ${cloud} ${request_id ?? (context as Fields | undefined)?.triggered_at} ${asset_id}`
}

/** Distinguishes changes of an asset that were signed within one second by what they changed. */
function timelessKey(
  { notification_type, asset_id, ...fields }: Fields,
  cloud: string,
  signedAt: number
): string {
  const {
    added,
    removed,
    new_metadata,
    folder_path,
    moderation_status,
    previous_metadata,
    version,
    public_id
  } = fields
  const what = JSON.stringify([
    added,
    removed,
    new_metadata,
    previous_metadata,
    folder_path,
    moderation_status,
    version,
    public_id
  ])
  return `timeless ${cloud} ${notification_type} ${asset_id} ${what} ${signedAt}`
}

/** Returns the part of a body that is about the asset of a change. */
function payloadOf({ body, assetId }: Change): Fields {
  const { resources, ...shared } = JSON.parse(body) as Fields & { resources?: Record<string, Fields> }
  const entries = Object.entries(resources ?? {}).map(([name, entry]) => ({ public_id: name, ...entry }))
  return { ...shared, ...entries.find((entry) => (entry as Fields).asset_id === assetId) }
}

const runKey = ({ id, run }: AssetEvent, processor: string) => `${processor} ${id} ${replayOf(run) ?? ''}`

const failureKey = ({ id, run }: AssetEvent, processor: string) => `${processor} ${id} ${run?.id ?? ''}`

export const timeOf = (at: number): string => `+${((at - START) / 1000).toFixed(1)} s`
