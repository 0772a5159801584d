import { trackCollections } from './collections.ts'
import { Fleet } from './fleet.ts'
import type { Violation } from './ledger/guarantee.ts'
import { Ledger } from './ledger/ledger.ts'
import { checkAtRest, checkUploadFound } from './ledger/settled-checks.ts'
import { CloudinaryModel } from './models/cloudinary.ts'
import type { Delivery } from './models/delivery.ts'
import { DynamoDbModel } from './models/dynamodb.ts'
import { SecretModel } from './models/secrets.ts'
import { SqsQueue } from './models/sqs-queue.ts'
import { Network } from './network.ts'
import { Operators } from './operators.ts'
import type { Dependencies } from './parts.ts'
import { MINUTE_MS, type Plan } from './plan.ts'
import { schedulePlan } from './schedule-plan.ts'
import { Scheduler, type SimulatedProcess, START } from './scheduler.ts'
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

/** Time after the last fault in which everything must be settled. Twelve attempts take 47 minutes at most. */
const SETTLE_MS = 12 * 60 * MINUTE_MS

/** Runs a plan to its end, or to the first violation of an invariant. */
export async function simulate(plan: Plan, { tells = false }: { tells?: boolean } = {}): Promise<Result> {
  return new Simulation(plan, tells).run()
}

/** The last bursts of changes, and commands after them, may be later than the faults. */
const endOf = ({ minutes, changes, commands }: Plan): number =>
  Math.max(START + minutes * MINUTE_MS, ...[...changes, ...commands].map(({ at }) => at + 1))

class Simulation {
  readonly #plan: Plan
  readonly #scheduler = new Scheduler()
  readonly #story: string[] = []
  readonly #faults: string[] = []
  readonly #network: Network
  readonly #ledger: Ledger
  readonly #cloudinary: CloudinaryModel
  readonly #dependencies: Dependencies
  readonly #fleet: Fleet
  readonly #operators: Operators

  constructor(plan: Plan, tells: boolean) {
    this.#plan = plan
    const scheduler = this.#scheduler
    const { seed } = plan
    this.#network = new Network(scheduler, {
      seed,
      faultRate: plan.faultRate,
      faults: plan.faults,
      outages: plan.outages,
      injectFault: (process, fault, seconds) =>
        this.#fleet.injectFault(process, fault === 'killed' ? 'kill' : 'pause', seconds),
      onFault: (fault) => {
        this.#faults.push(fault)
        this.#ledger.tell(`fault: ${fault}`)
      }
    })
    const dynamoDb = new DynamoDbModel(scheduler, {
      seed,
      lagMs: plan.indexLagMs,
      onUpdate: (process, before, after) => this.#ledger.attempts.journaled(process, before, after)
    })
    const deadLetterQueue = new SqsQueue({
      scheduler,
      name: 'dead',
      onStored: (message) => {
        this.#ledger.deadLettered(message)
        this.#operators.noticed(message)
      }
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
      outageOf: (cloud, from, until) => this.#cloudinary.outageOf(cloud, from, until)
    })
    this.#cloudinary = new CloudinaryModel({
      scheduler,
      network: this.#network,
      ledger: this.#ledger,
      seed,
      clouds: plan.clouds,
      limits: plan.limits,
      post: (delivery, answer, chance) => this.#fleet.post(delivery, answer, chance)
    })
    const keys = new Map([...this.#cloudinary.clouds].map(([name, cloud]) => [name, cloud.keys[0]!]))
    this.#dependencies = {
      plan,
      scheduler,
      network: this.#network,
      ledger: this.#ledger,
      queue,
      deadLetterQueue,
      dynamoDb,
      secret: new SecretModel(keys),
      crash: (process) => {
        scheduler.at(scheduler.now, undefined, 'crash', () => this.#fleet.kill(process, 2))
      }
    }
    this.#operators = new Operators(this.#dependencies)
    this.#fleet = new Fleet({
      plan,
      scheduler,
      network: this.#network,
      ledger: this.#ledger,
      dependencies: () => this.#dependencies,
      onRefused: (delivery, process) => this.#checkRefused(delivery, process)
    })
  }

  async run(): Promise<Result> {
    const restoreTime = installVirtualTime(this.#scheduler)
    const restoreCollections = trackCollections(this.#scheduler)
    const restoreSdk = this.#cloudinary.install()
    const rejected = (reason: unknown) =>
      this.#ledger.violated('8 shutdown', `unhandled rejection: ${(reason as Error)?.stack ?? reason}`)
    process.on('unhandledRejection', rejected)
    try {
      schedulePlan(this.#dependencies, this.#cloudinary, this.#fleet, this.#operators)
      this.#fleet.startAll()
      await this.#runUntil(endOf(this.#plan))
      this.#network.isCalm = true
      await this.#settle('after the last fault')
      await this.#stopAll()
      await this.#reconcileAfterGrace()
      await this.#stopAll()
      if (!this.#ledger.violation) checkAtRest(this.#dependencies, this.#operators.isDiscardCut)
    } finally {
      restoreSdk()
      restoreCollections()
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

  /** Guarantee 2 is no reason to refuse what Cloudinary has signed, also while a key is rotated. */
  #checkRefused({ isGenuine }: Delivery, process: SimulatedProcess): void {
    const wasTroubled = this.#faults.some((fault) => fault.startsWith(`${process.name} secrets`))
    const isOut = this.#plan.outages.some(({ service }) => service === 'secrets')
    if (isGenuine && !wasTroubled && !isOut) {
      this.#ledger.violated(
        '7 nothing is lost',
        `${process.name} refuses a notification that Cloudinary has signed`
      )
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
    const { queue } = this.#dependencies
    const channels = [...this.#cloudinary.clouds.values()].map(({ channel }) => channel)
    const isQuiet = () =>
      queue.messages.length === 0 &&
      this.#cloudinary.pending === 0 &&
      this.#operators.running === 0 &&
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
    if (!this.#ledger.violation) await this.#fleet.stopAll()
  }

  /** Guarantee 7: an hour later, `reconcile` finds the uploads that were never notified, and dead letters can be redriven. */
  async #reconcileAfterGrace(): Promise<void> {
    if (this.#ledger.violation) return
    await this.#runUntil(this.#scheduler.now + 60 * MINUTE_MS)
    this.#fleet.startAll()
    for (const kind of ['reconcile', 'reconcile', 'redrive', 'redrive'] as const) {
      if (this.#ledger.violation) return
      this.#operators.run({ kind })
      await this.#settle(`after ${kind}`)
    }
    for (const [name, { assets }] of this.#cloudinary.clouds) {
      for (const asset of assets.values()) checkUploadFound(this.#ledger, name, asset)
    }
  }
}
