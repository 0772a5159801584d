import { type AssetEvent, replayOf } from '../../app/ingest/event.ts'
import { JOURNAL } from '../../app/journal/journal-table.ts'
import { type ProcessorRecords, recordNamed } from '../../app/journal/processor-record.ts'
import { Ledger, type Violation } from './ledger.ts'
import { CloudinaryModel, type Delivery } from './models/cloudinary.ts'
import { DynamoDbModel } from './models/dynamodb.ts'
import { SecretModel } from './models/secrets.ts'
import { SqsQueue } from './models/sqs.ts'
import { Network } from './network.ts'
import type { CommandPlan, Plan, ProcessFault } from './plan.ts'
import { RECORDING } from './processors.ts'
import { between, chanceOf } from './random.ts'
import { type RunningRole, runCommand, type Surroundings, startRole } from './roles.ts'
import { Scheduler, SimulatedProcess, START } from './scheduler.ts'
import { installVirtualTime } from './virtual-time.ts'

export interface Result {
  seed: number
  /** Delivered timers and answers. */
  steps: number
  /** Virtual time, in minutes. */
  minutes: number
  /** Digest of all steps. */
  trace: string
  violation: Violation | undefined
  story: readonly string[]
  /** Faults of calls that were injected. */
  faults: readonly string[]
}

/** A process that is started again when it ends. */
interface Slot {
  name: string
  generation: number
  process: SimulatedProcess | undefined
  role: RunningRole | undefined
  isStopping: boolean
  /** Not started again. */
  isClosed: boolean
}

const MINUTE_MS = 60_000

/** Time after the last fault in which everything must be settled. Twelve attempts take 47 minutes at most. */
const SETTLE_MS = 12 * 60 * MINUTE_MS

/** ECS kills a task that has not stopped by then. */
const STOP_MS = 100_000

/** Runs a plan to its end, or to the first violation of an invariant. */
export async function simulate(plan: Plan, { tells = false }: { tells?: boolean } = {}): Promise<Result> {
  return new Simulation(plan, tells).run()
}

class Simulation {
  readonly #plan: Plan
  readonly #scheduler = new Scheduler()
  readonly #story: string[] = []
  readonly #faults: string[] = []
  readonly #network: Network
  readonly #ledger: Ledger
  readonly #cloudinary: CloudinaryModel
  readonly #surroundings: Surroundings
  readonly #slots: Slot[]
  #commands = 0
  #runningCommands = 0
  /** A discard did not end, so an event may be dead without a dead letter. */
  #isDiscardCut = false

  constructor(plan: Plan, tells: boolean) {
    this.#plan = plan
    const scheduler = this.#scheduler
    const { seed } = plan
    this.#network = new Network(scheduler, {
      seed,
      faultRate: plan.faultRate,
      faults: plan.faults,
      outages: plan.outages,
      strike: (process, fault, seconds) => {
        const slot = this.#slots.find((each) => each.process === process)
        if (slot && !process.dead) this.#strike(slot, fault === 'killed' ? 'kill' : 'pause', seconds)
      },
      onFault: (fault) => {
        this.#faults.push(fault)
        this.#ledger.tell(`fault: ${fault}`)
      }
    })
    const dynamoDb = new DynamoDbModel(scheduler, { seed, lagMs: plan.indexLagMs })
    const deadLetterQueue = new SqsQueue({
      scheduler,
      name: 'dead',
      onStored: (message) => this.#ledger.deadLettered(message)
    })
    const queue = new SqsQueue({
      scheduler,
      name: 'main',
      deadLetterQueue,
      onLeaseLost: (message) => this.#ledger.leaseLost(message)
    })
    this.#ledger = new Ledger({
      scheduler,
      story: tells ? this.#story : undefined,
      queued: () => queue.messages,
      troubleOf: (cloud, from, until) => this.#cloudinary.troubleOf(cloud, from, until),
      isRecorded: (event, processor) => isRecorded(dynamoDb, event, processor)
    })
    this.#cloudinary = new CloudinaryModel({
      scheduler,
      network: this.#network,
      ledger: this.#ledger,
      seed,
      clouds: plan.clouds,
      limits: plan.limits,
      post: (delivery, answer, chance) => this.#post(delivery, answer, chance)
    })
    const keys = new Map([...this.#cloudinary.clouds].map(([name, cloud]) => [name, cloud.keys[0]!]))
    this.#surroundings = {
      plan,
      scheduler,
      network: this.#network,
      ledger: this.#ledger,
      queue,
      deadLetterQueue,
      dynamoDb,
      secret: new SecretModel(keys),
      crash: (process) => {
        scheduler.at(scheduler.now, undefined, 'crash', () => this.#kill(process, 2))
      }
    }
    this.#slots = plan.processes.map((name) => ({
      name,
      generation: 0,
      process: undefined,
      role: undefined,
      isStopping: false,
      isClosed: false
    }))
  }

  async run(): Promise<Result> {
    const restoreTime = installVirtualTime(this.#scheduler)
    const restoreSdk = this.#cloudinary.install()
    const rejected = (reason: unknown) =>
      this.#ledger.violated('8 shutdown', `unhandled rejection: ${(reason as Error)?.stack ?? reason}`)
    process.on('unhandledRejection', rejected)
    try {
      this.#schedulePlan()
      for (const slot of this.#slots) this.#start(slot)
      await this.#runUntil(START + this.#plan.minutes * MINUTE_MS)
      this.#network.isCalm = true
      await this.#settle('after the last fault')
      await this.#stopAll()
      await this.#reconcileAfterGrace()
      await this.#stopAll()
      this.#checkAtRest()
    } finally {
      restoreSdk()
      restoreTime()
      process.off('unhandledRejection', rejected)
    }
    const { steps, now, trace } = this.#scheduler
    return {
      seed: this.#plan.seed,
      steps,
      minutes: Math.round((now - START) / MINUTE_MS),
      trace: trace.toString(16).padStart(8, '0'),
      violation: this.#ledger.violation,
      story: this.#story,
      faults: this.#faults
    }
  }

  #schedulePlan(): void {
    const { changes, commands, processFaults, forgeries, rotations } = this.#plan
    const at = (time: number, label: string, run: () => void) =>
      this.#scheduler.at(time, undefined, label, run)
    for (const change of changes) at(change.at, 'change', () => this.#cloudinary.change(change))
    for (const command of commands) at(command.at, 'command', () => this.#command(command))
    for (const fault of processFaults) {
      at(fault.at, fault.kind, () => {
        const slot = this.#slots.find(({ name }) => name === fault.process)
        if (slot) this.#strike(slot, fault.kind, fault.seconds)
      })
    }
    for (const { at: time, cloud, kind } of forgeries) {
      at(time, 'forgery', () =>
        this.#post(
          this.#cloudinary.forge(cloud, kind),
          (status) => {
            if (status === 200)
              this.#ledger.violated('2 verified before parsed', `a notification that is ${kind} was accepted`)
          },
          0
        )
      )
    }
    for (const { at: time, cloud } of rotations) {
      at(time, 'rotation', () => {
        this.#ledger.tell(`a new key of ${cloud} is in the secret`)
        this.#surroundings.secret.rotate(cloud, this.#cloudinary.addKey(cloud))
      })
      // both keys stay active for as long as a refresh takes
      at(time + 10 * MINUTE_MS, 'rotation', () => {
        this.#ledger.tell(`the old key of ${cloud} is disabled`)
        this.#cloudinary.disableOldKey(cloud)
      })
    }
  }

  #start(slot: Slot): void {
    if (slot.isClosed) return
    const { seed, skewsMs } = this.#plan
    const process = new SimulatedProcess(`${slot.name}.${++slot.generation}`, seed, skewsMs[slot.name])
    slot.process = process
    slot.role = undefined
    slot.isStopping = false
    this.#ledger.tell(`${process.name} starts`)
    this.#scheduler.runAs(process, () => {
      startRole(process, this.#surroundings).then(
        (role) => {
          slot.role = role
        },
        (error) => {
          this.#ledger.tell(`does not start: ${error.code}`)
          this.#end(process, 5)
        }
      )
    })
  }

  /** Ends a process, which is started again after a time. */
  #end(process: SimulatedProcess, seconds: number): void {
    const slot = this.#slots.find((each) => each.process === process)
    if (!slot || process.dead) return
    process.dead = true
    slot.process = undefined
    slot.role = undefined
    this.#scheduler.at(this.#scheduler.now + seconds * 1000, undefined, 'start', () => {
      if (!slot.process) this.#start(slot)
    })
  }

  #kill(process: SimulatedProcess, seconds: number): void {
    if (process.dead) return
    this.#ledger.tell(`${process.name} is killed`)
    this.#ledger.killed(process)
    this.#end(process, seconds)
  }

  #strike(slot: Slot, kind: ProcessFault['kind'], seconds: number): void {
    const { process } = slot
    if (!process) return
    switch (kind) {
      case 'kill':
        return this.#kill(process, seconds)
      case 'pause':
        this.#ledger.tell(`${process.name} is paused for ${seconds} s`)
        process.pausedUntil = this.#scheduler.now + seconds * 1000
        return
      case 'stop':
        this.#stop(slot, seconds)
    }
  }

  #stop(slot: Slot, seconds: number): void {
    const { process, role } = slot
    if (!process || slot.isStopping) return
    if (!role) return this.#kill(process, seconds)
    slot.isStopping = true
    this.#ledger.tell(`${process.name} is stopped`)
    this.#scheduler.at(this.#scheduler.now + STOP_MS, undefined, 'time over', () =>
      this.#kill(process, seconds)
    )
    this.#scheduler.at(this.#scheduler.now, process, 'stop', () => {
      role.stop().then(
        () => {
          this.#checkStopped(process, role)
          // what it had not recorded is redelivered
          this.#ledger.killed(process)
          this.#end(process, seconds)
        },
        (error) => this.#ledger.violated('8 shutdown', `the stop of ${process.name} fails: ${error}`)
      )
    })
  }

  #checkStopped(process: SimulatedProcess, role: RunningRole): void {
    if (role.pendingBytes() !== 0)
      this.#ledger.violated('8 shutdown', `${process.name} stops with events that are not stored`)
    if (process.timers > 0) this.#ledger.violated('8 shutdown', `${process.name} leaves ${process.timers} timers`)
  }

  #post(delivery: Delivery, answer: (status: number | undefined) => void, chance: number): void {
    const ready = this.#slots.filter(
      ({ name, role, isStopping }) => name.startsWith('web') && role?.receive && !isStopping
    )
    const slot = ready[Math.floor(chance * ready.length)]
    const { process, role } = slot ?? {}
    const { scheduler } = { scheduler: this.#scheduler }
    if (!process || !role?.receive) {
      scheduler.at(scheduler.now + 50, undefined, 'answer', () => answer(503))
      return
    }
    const { receive } = role
    const isLost =
      !this.#network.isCalm &&
      chanceOf(this.#plan.seed, `answer ${scheduler.now} ${chance}`) < this.#plan.faultRate
    scheduler.at(scheduler.now + between(1, 40, chance), process, 'request', () => {
      void receive(delivery).then((status) => {
        if (status === 401) this.#checkRefused(delivery, process)
        scheduler.at(scheduler.now + 5, undefined, 'answer', () => answer(isLost ? undefined : status))
      })
    })
  }

  /** Guarantee 2 is no reason to refuse what Cloudinary has signed, also while a key is rotated. */
  #checkRefused({ isGenuine }: Delivery, process: SimulatedProcess): void {
    const wasTroubled = this.#faults.some((fault) => fault.startsWith(`${process.name} secrets`))
    const isOut = this.#plan.outages.some(({ service }) => service === 'secrets')
    if (isGenuine && !wasTroubled && !isOut) {
      this.#ledger.violated('7 nothing is lost', `${process.name} refuses a notification that Cloudinary has signed`)
    }
  }

  #command({ kind, killAfterMs }: CommandPlan): void {
    const process = new SimulatedProcess(`${kind}-${++this.#commands}`, this.#plan.seed)
    const known = [...this.#surroundings.dynamoDb.items.keys()].filter((id) => /^[0-9a-f]+$/.test(id))
    const ids = known.filter((id) => chanceOf(this.#plan.seed, `${process.name} ${id}`) < 0.2).slice(0, 5)
    if ((kind === 'replay' || kind === 'repair all') && ids.length === 0) return
    this.#runningCommands++
    const end = () => {
      if (!process.dead) this.#runningCommands--
      process.dead = true
    }
    this.#ledger.tell(`an operator runs ${process.name}`)
    this.#scheduler.runAs(process, () => {
      runCommand(kind, ids, this.#surroundings).then(end, (error) => {
        this.#ledger.tell(`${process.name} fails: ${error.code ?? error}`)
        if (kind === 'discard') this.#isDiscardCut = true
        end()
      })
    })
    if (killAfterMs !== undefined) {
      this.#scheduler.at(this.#scheduler.now + killAfterMs, undefined, 'kill', () => {
        if (!process.dead) this.#ledger.tell(`${process.name} is killed`)
        if (!process.dead && kind === 'discard') this.#isDiscardCut = true
        end()
      })
    }
  }

  async #runUntil(time: number): Promise<void> {
    let isOver = false
    this.#scheduler.at(time, undefined, 'end', () => {
      isOver = true
    })
    await this.#scheduler.run(() => isOver || this.#ledger.violation !== undefined)
  }

  /** Runs until nothing is left to do. */
  async #settle(when: string): Promise<void> {
    if (this.#ledger.violation) return
    let isOver = false
    this.#scheduler.at(this.#scheduler.now + SETTLE_MS, undefined, 'end', () => {
      isOver = true
    })
    const { queue } = this.#surroundings
    const channels = [...this.#cloudinary.clouds.values()].map(({ channel }) => channel)
    const isQuiet = () =>
      queue.messages.length === 0 &&
      this.#cloudinary.pending === 0 &&
      this.#runningCommands === 0 &&
      channels.every(({ messages }) => messages.length === 0)
    await this.#scheduler.run(() => isOver || this.#ledger.violation !== undefined || isQuiet())
    if (isOver) {
      const left = queue.messages.map(
        ({ deduplicationId, receives }) => `${deduplicationId} (received ${receives} times)`
      )
      this.#ledger.violated(
        '7 at rest',
        `not settled ${when}: ${left.join(', ') || 'notifications, or a command'}`
      )
    }
  }

  async #stopAll(): Promise<void> {
    if (this.#ledger.violation) return
    for (const slot of this.#slots) {
      slot.isClosed = true
      this.#stop(slot, 1)
    }
    const until = this.#scheduler.now + 2 * STOP_MS
    await this.#scheduler.run(
      () =>
        this.#slots.every(({ process }) => !process) ||
        this.#scheduler.now > until ||
        this.#ledger.violation !== undefined
    )
    for (const slot of this.#slots) slot.isClosed = false
  }

  /** Guarantee 7: an hour later, `reconcile` finds the uploads that were never notified, and dead letters can be redriven. */
  async #reconcileAfterGrace(): Promise<void> {
    if (this.#ledger.violation) return
    await this.#runUntil(this.#scheduler.now + 60 * MINUTE_MS)
    for (const slot of this.#slots) if (!slot.process) this.#start(slot)
    for (const kind of ['reconcile', 'reconcile', 'redrive'] as const) {
      this.#command({ at: 0, kind })
      await this.#settle(`after ${kind}`)
    }
    for (const [name, { assets }] of this.#cloudinary.clouds) {
      for (const asset of assets.values()) this.#ledger.checkUploadFound(name, asset, 'record')
    }
  }

  /** Guarantee 7: an event that is dead has a dead letter for each processor that failed. */
  #checkDeadLetters(): void {
    if (this.#isDiscardCut) return
    const { dynamoDb, deadLetterQueue } = this.#surroundings
    const letters = new Set(
      deadLetterQueue.messages.map(({ body, attributes }) => `${JSON.parse(body).id} ${attributes.processor?.StringValue}`)
    )
    for (const [id, item] of dynamoDb.items) {
      const missing = deadProcessorsOf(item).find((processor) => !letters.has(`${id} ${processor}`))
      if (missing) this.#ledger.violated('7 nothing is lost', `event ${id} is dead in ${missing}, and has no dead letter`)
    }
  }

  #checkAtRest(): void {
    if (this.#ledger.violation) return
    this.#ledger.checkNothingLost(RECORDING)
    const { dynamoDb, queue, deadLetterQueue } = this.#surroundings
    for (const [id, { status }] of dynamoDb.items) {
      if (status === 'processing' || status === 'retrying')
        this.#ledger.violated('7 at rest', `event ${id} is ${status}`)
    }
    this.#checkDeadLetters()
    const texts = [...queue.everStored.values(), ...deadLetterQueue.everStored.values()].map((message) =>
      JSON.stringify(message)
    )
    for (const item of dynamoDb.items.values()) texts.push(JSON.stringify({ ...item, payload: undefined }))
    if (texts.some((text) => text.includes('-SECRET-')))
      this.#ledger.violated('9 secrets', 'a secret is stored')
  }
}

function deadProcessorsOf(item: Readonly<Record<string, unknown>>): string[] {
  const records = Object.entries((item.processors ?? {}) as ProcessorRecords)
  return item.status === 'dead' ? records.filter(([, { outcome }]) => outcome === 'dead').map(([name]) => name) : []
}

function isRecorded(dynamoDb: DynamoDbModel, { id, run }: AssetEvent, processor: string): boolean {
  const item = dynamoDb.items.get(id)
  const record = recordNamed(item?.processors as never, processor)
  return (
    record?.outcome === 'succeeded' &&
    (run === undefined || replayOf(run) === record.replay || record.run === run.id)
  )
}

export const TABLE_KEY = JOURNAL.partitionKey
