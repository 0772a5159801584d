import type { Outage } from './network.ts'
import { Random } from './random.ts'
import { START } from './scheduler.ts'

/** A product environment. */
export interface CloudPlan {
  name: string
  /** `modern` bodies state author and time of the change; `old` ones often neither. */
  body: 'modern' | 'old'
  delivery: 'webhook' | 'poll'
  algorithm: 'sha1' | 'sha256'
  signsRetriesAnew: boolean
  /** Pauses before the retries of a notification. */
  retryMinutes: readonly number[]
  /** Share of notifications that are never delivered. */
  lossRate: number
  indexLagMs: number
}

export type ChangeKind =
  | 'upload'
  | 'resource_tags_changed'
  | 'resource_metadata_changed'
  | 'resource_context_changed'
  | 'rename'
  | 'delete'
  | 'eager'
  | 'moderation'
  | 'create_folder'

/** A change that a user makes. */
export interface ChangePlan {
  at: number
  cloud: string
  asset: number
  kind: ChangeKind
  variant: number
}

export interface LimitPlan {
  cloud: string
  from: number
  until: number
  /** The error says when the limit ends. */
  statesEnd: boolean
}

export interface ProcessFault {
  at: number
  process: string
  kind: 'kill' | 'stop' | 'pause'
  /** Until it is started again or resumes. */
  seconds: number
}

export interface CommandPlan {
  at: number
  kind: 'redrive' | 'replay' | 'reconcile' | 'repair all' | 'repair failed' | 'discard'
  /** Kills it after this time. */
  killAfterMs?: number
}

export interface ForgeryPlan {
  at: number
  cloud: string
  kind: 'tampered' | 'stale' | 'unsigned' | 'border'
}

/** Everything that happens in a simulation besides the faults of single calls. Derived from the seed. */
export interface Plan {
  seed: number
  minutes: number
  processes: readonly string[]
  skewsMs: Readonly<Record<string, number>>
  concurrency: number
  /** Long-polling wait of a worker's receive, in seconds. */
  waitSeconds: number
  indexLagMs: number
  /** Share of events whose processors fail, wait or end their worker. */
  failureRate: number
  faultRate: number
  /** The only faults of calls that are injected. Default: by the rate. */
  faults?: readonly string[]
  clouds: readonly CloudPlan[]
  outages: readonly Outage[]
  limits: readonly LimitPlan[]
  processFaults: readonly ProcessFault[]
  changes: readonly ChangePlan[]
  commands: readonly CommandPlan[]
  /** Probability that an operator runs `redrive` within two minutes of a dead letter. (Default: 0) */
  redriveRate?: number
  forgeries: readonly ForgeryPlan[]
  /** Rotations of a cloud's key. */
  rotations: readonly { at: number; cloud: string }[]
}

export const MINUTE_MS = 60_000

const KINDS: readonly ChangeKind[] = [
  'upload',
  'upload',
  'upload',
  'upload',
  'resource_tags_changed',
  'resource_tags_changed',
  'resource_tags_changed',
  'resource_metadata_changed',
  'resource_metadata_changed',
  'resource_context_changed',
  'rename',
  'delete',
  'delete',
  'eager',
  'moderation',
  'create_folder'
]

const COMMANDS: readonly CommandPlan['kind'][] = [
  'redrive',
  'redrive',
  'replay',
  'reconcile',
  'repair all',
  'repair failed',
  'discard'
]

/** Returns the plan of a seed. */
export function planOf(seed: number): Plan {
  const random = new Random(seed, 'plan')
  const minutes = random.pick([3, 5, 10, 20, 20, 60, 150, 300])
  const endsAt = minutes * MINUTE_MS
  const time = () => START + random.between(0, endsAt)
  const span = (least: number, most: number) => {
    const from = time()
    return { from, until: from + random.between(least, most) }
  }
  const many = <Made>(most: number, make: () => Made): Made[] =>
    Array.from({ length: Math.floor(random.next() * (most + 1)) }, make)
  const clouds = Array.from({ length: random.between(1, 2) }, (_, index) =>
    cloudOf(`cloud-${index + 1}`, random)
  )
  const names = clouds.map(({ name }) => name)
  const workers = random.between(1, 3)
  const processes = [
    ...Array.from({ length: random.between(1, 2) }, (_, index) => `web-${index + 1}`),
    ...Array.from({ length: workers }, (_, index) => `worker-${index + 1}`),
    ...(clouds.some(({ delivery }) => delivery === 'poll') ? ['poll-1'] : [])
  ]
  const skew = random.pick([0, 50, 5000])
  const services = ['sqs', 'dynamodb', 'secrets', ...names.map((name) => `cloudinary ${name}`)]
  const isCalm = random.chance(0.1)
  const faultRate = isCalm ? 0 : random.pick([0.001, 0.005, 0.02, 0.06])
  const perPlan = isCalm ? 0 : 1
  const changes = changesOf(random, names, endsAt)
  return {
    seed,
    minutes,
    processes,
    skewsMs: Object.fromEntries(processes.map((name) => [name, random.between(-skew, skew)])),
    concurrency: random.pick([1, 2, 10]),
    // 2 s is the default; fewer empty receives leave more of a campaign for the protocol
    waitSeconds: random.pick([2, 20, 20]),
    indexLagMs: random.pick([0, 300, 3000]),
    failureRate: isCalm ? 0 : random.pick([0, 0.1, 0.4]),
    faultRate,
    clouds,
    outages: many(3 * perPlan, () => ({
      service: random.pick(services),
      ...span(1000, random.pick([20_000, 600_000, 1_800_000]))
    })),
    limits: many(2 * perPlan, () => ({
      cloud: random.pick(names),
      ...span(5000, random.pick([60_000, 3_600_000])),
      statesEnd: random.chance(0.5)
    })),
    processFaults: many(8 * perPlan, () => ({
      at: time(),
      process: random.pick(processes),
      kind: random.pick(['kill', 'kill', 'kill', 'stop', 'pause'] as const),
      seconds: random.pick([1, 5, 30, 90, 200])
    })),
    changes,
    // half of them soon after a change, since most races with an operator are short
    commands: many(5, () => ({
      at: random.chance(0.5) ? time() : random.pick(changes).at + random.between(2000, 240_000),
      kind: random.pick(COMMANDS),
      ...(random.chance(0.2 * perPlan) && { killAfterMs: random.between(1, 3000) })
    })),
    forgeries: many(2, () => ({
      at: time(),
      cloud: random.pick(names),
      kind: random.pick(['tampered', 'stale', 'unsigned', 'border'] as const)
    })),
    rotations: random.chance(0.3) ? [{ at: time(), cloud: random.pick(names) }] : [],
    redriveRate: random.pick([0, 0.3])
  }
}

function cloudOf(name: string, random: Random): CloudPlan {
  return {
    name,
    body: random.pick(['modern', 'old'] as const),
    delivery: random.pick(['webhook', 'webhook', 'webhook', 'poll'] as const),
    algorithm: random.pick(['sha1', 'sha256'] as const),
    signsRetriesAnew: random.chance(0.5),
    retryMinutes: random.pick([
      [3, 6, 9],
      [3, 9, 27]
    ]),
    lossRate: random.pick([0, 0, 0.02, 0.1]),
    indexLagMs: random.pick([0, 5000, 120_000])
  }
}

/** Changes come in bursts: several of an asset at once are what ordering is about. */
function changesOf(random: Random, clouds: readonly string[], endsAt: number): ChangePlan[] {
  const assets = random.pick([2, 6, 20])
  const changes: ChangePlan[] = []
  const bursts = random.between(1, 14)
  for (let burst = 0; burst < bursts; burst++) {
    const from = START + random.between(1000, endsAt)
    const cloud = random.pick(clouds)
    const asset = random.between(0, assets - 1)
    const gapMs = random.pick([1, 400, 5000, 40_000])
    const count = random.between(1, 8)
    for (let index = 0; index < count; index++) {
      const isFirst = index === 0
      changes.push({
        at: from + index * random.between(1, gapMs),
        cloud,
        asset: random.chance(0.7) ? asset : random.between(0, assets - 1),
        kind: isFirst && random.chance(0.8) ? 'upload' : random.pick(KINDS),
        variant: random.between(0, 30)
      })
    }
  }
  return changes.sort((a, b) => a.at - b.at)
}
