import { setTimeout as sleep } from 'node:timers/promises'
import type { CloudinaryStandIn } from '../../../dev/cloudinary/cloudinary-server.ts'
import { Recorder } from '../../../dev/cloudinary/recorder.ts'
import type { EmbeddedDynamoDb } from '../../../dev/embedded-dynamodb.ts'
import { type EmbeddedSqs, QUEUE_NAME } from '../../../dev/embedded-sqs.ts'
import type { LogLine, RoleProcess } from '../../../dev/start/role-process.ts'
import { type System, startSystem } from '../../../dev/start/system.ts'
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts'
import { CHILD_ENVIRONMENT, freePort } from '../../support/system.ts'
import { type Account, account, readDeadLetters, readJournal } from './accounting.ts'
import { findDelays, findSecrets, judge } from './judge.ts'
import { EVENTS_PER_ASSET, Load, type LoadOptions } from './load.ts'
import { type OrderLog, startOrderLog } from './order-log.ts'

/** A system under load, and what can be done to it. */
export interface Chaos {
  cloudinary: CloudinaryStandIn
  queue: EmbeddedSqs
  web: RoleProcess
  workers: RoleProcess[]
  /** Stand between the roles and AWS. */
  sqs: FaultProxy
  dynamoDb: FaultProxy
  load: Load
  /** Resolves when a part of the events, from 0 to 1, is processed. */
  processed: (part: number) => Promise<void>
  /** Sends a role a signal; resolves when it has been started again and is ready. */
  signal: (role: 'web' | 'worker', child: RoleProcess, signal: 'SIGKILL' | 'SIGTERM') => Promise<void>
}

export interface Scenario {
  fault: string
  /** Takes minutes, and is run when asked for. */
  long?: true
  /** How many events, where the fault asks for so many. */
  events?: number
  load?: Pick<LoadOptions, 'deliveries' | 'uploadedOnly' | 'further'>
  /** Events in flight in one worker. */
  concurrency?: number
  /** Of the notifications that are sent more than twice, SQS has forgotten the first by the third. */
  forgets?: boolean
  /** Does the harm, beside the load. */
  strike?: (chaos: Chaos) => Promise<void>
  /** Dead letters that there must be, each as `ASSET PROCESSOR CODE`; none where it is left out. */
  deadLetters?: readonly string[]
  /** Effects that may be had again: one for each event in flight whenever a worker is killed. */
  duplicatesAllowed?: number
  /** No event may fail in passing, and so have to wait. */
  withoutDelay?: boolean
  /** By when it must be at rest, in seconds. */
  withinSeconds?: number
}

export interface RunOptions {
  events: number
  /** How long SQS hides a message at first; without it 60 s, as the listener asks. */
  visibilitySeconds?: number
}

export interface Result extends Account {
  fault: string
  seconds: number
  /** How often something was killed, failed, was late, or came again. */
  struck: number
  /** The promises that were broken, described. */
  broken: string[]
}

const WORKERS = 2

/** Multiplies the 3, 6 and 9 minutes after which Cloudinary tries again: 1.8, 3.6 and 5.4 s. */
const RETRY_SCALE = 0.01

const WITHIN_SECONDS = 90

/** So that the embedded DynamoDB, at some hundred writes a second, answers before the roles' time-out. */
const CONCURRENCY = 20

/** What does not stop on SIGTERM by then is killed, in milliseconds. */
const STOP_WITHIN_MS = 15_000

const REST_POLL_MS = 50

const CONFIG = 'test/system/chaos/listener.config.ts'

/** Runs the whole system under a load and one fault, lets it come to rest, and compares what was promised with what was done. */
export async function runScenario(scenario: Scenario, options: RunOptions): Promise<Result> {
  const cleanup = new AsyncDisposableStack()
  try {
    const lines = new Recorder<LogLine>(1_000_000)
    const orderLog = await startOrderLog()
    cleanup.defer(() => orderLog.stop())
    const proxies: Pick<Chaos, 'sqs' | 'dynamoDb'>[] = []
    const system = (await startSystem({
      workers: WORKERS,
      retryScale: RETRY_SCALE,
      environment: {
        ...CHILD_ENVIRONMENT,
        PORT: String(await freePort()),
        LISTENER_CONFIG: CONFIG,
        CHAOS_LOG_URL: orderLog.url,
        WORKER_CONCURRENCY: String(scenario.concurrency ?? CONCURRENCY)
      },
      onLine: (line) => {
        lines.add(line)
        lines.settle(line)
      },
      reroute: async (environment) => {
        const sqs = await startFaultProxy({
          target: String(environment.AWS_ENDPOINT_URL_SQS),
          rewrite: rewriteSqs(options.visibilitySeconds, scenario.forgets)
        })
        const dynamoDb = await startFaultProxy({ target: String(environment.AWS_ENDPOINT_URL_DYNAMODB) })
        cleanup.defer(async () => void (await Promise.all([sqs.stop(), dynamoDb.stop()])))
        proxies.push({ sqs, dynamoDb })
        return through(environment, sqs, dynamoDb)
      }
    })) as System & { cloudinary: CloudinaryStandIn; sqs: EmbeddedSqs; dynamoDb: EmbeddedDynamoDb }
    cleanup.defer(() => stop(system))

    const assets = Math.max(1, options.events / EVENTS_PER_ASSET - (scenario.load?.further?.length ?? 0))
    const load = new Load({ cloudinary: system.cloudinary, assets: Math.floor(assets), ...scenario.load })
    const chaos: Chaos = {
      cloudinary: system.cloudinary,
      queue: system.sqs,
      web: system.web,
      workers: system.workers,
      ...proxies[0]!,
      load,
      processed: (part) => processed(orderLog, part * load.size),
      signal: (role, child, signal) => signalled(lines, role, child, signal)
    }
    const deadline = AbortSignal.timeout((scenario.withinSeconds ?? WITHIN_SECONDS) * 1000)
    const startedAt = performance.now()
    const atRest = await within(deadline, async () => {
      await Promise.all([load.run(), scenario.strike?.(chaos)])
      await comeToRest(system, deadline)
    })
    const seconds = (performance.now() - startedAt) / 1000
    const result = account({
      told: [...load.told.values()],
      calls: system.cloudinary.calls,
      order: orderLog.entries.items,
      journal: await readJournal(system.dynamoDb),
      deadLetters: readDeadLetters(system.sqs)
    })
    const struck =
      chaos.cloudinary.calls.filter(({ fault }) => fault !== null).length +
      [chaos.sqs, chaos.dynamoDb].reduce(
        (sum, { counts }) => sum + counts.slow + counts.error + counts.hang,
        0
      ) +
      lines.items.filter(({ msg }) => msg?.endsWith('exited; restarting')).length +
      load.deliveredAgain
    const broken = [
      ...(atRest ? [] : ['it did not come to rest in time']),
      ...(struck === 0 && (scenario.strike || scenario.load?.deliveries) ? ['the fault struck nothing'] : []),
      ...judge(scenario, result),
      ...(scenario.withoutDelay ? findDelays(lines.items) : []),
      ...findSecrets(lines.items, system.cloudinary)
    ]
    return { fault: scenario.fault, seconds, struck, broken, ...result }
  } finally {
    await cleanup.disposeAsync()
  }
}

/** The roles' way to AWS leads through the proxies: the AWS SDK calls the host that a queue's URL names. */
function through(
  environment: Record<string, string>,
  sqs: FaultProxy,
  dynamoDb: FaultProxy
): Record<string, string> {
  const reached = (queueUrl = '') => sqs.url + new URL(queueUrl).pathname
  return {
    ...environment,
    AWS_ENDPOINT_URL_SQS: sqs.url,
    AWS_ENDPOINT_URL_DYNAMODB: dynamoDb.url,
    QUEUE_URL: reached(environment.QUEUE_URL),
    DEAD_LETTER_QUEUE_URL: reached(environment.DEAD_LETTER_QUEUE_URL)
  }
}

/** Makes time pass faster for SQS: messages come again sooner, and what was sent before is forgotten. */
function rewriteSqs(
  visibilitySeconds: number | undefined,
  forgets = false
): (operation: string, body: string) => string {
  const sent = new Map<string, number>()
  return (operation, body) => {
    if (operation === 'ReceiveMessage' && visibilitySeconds !== undefined) {
      return JSON.stringify({ ...JSON.parse(body), VisibilityTimeout: visibilitySeconds })
    }
    if (operation !== 'SendMessageBatch' || !forgets) return body
    const call = JSON.parse(body) as { Entries: { MessageDeduplicationId: string }[] }
    for (const entry of call.Entries) {
      const id = entry.MessageDeduplicationId
      const times = (sent.get(id) ?? 0) + 1
      sent.set(id, times)
      if (times > 2) entry.MessageDeduplicationId = `${id}.${times}`
    }
    return JSON.stringify(call)
  }
}

async function processed({ entries }: OrderLog, count: number): Promise<void> {
  await entries.when(() => entries.items.length >= count)
}

async function signalled(
  lines: Recorder<LogLine>,
  role: string,
  { pid }: RoleProcess,
  signal: 'SIGKILL' | 'SIGTERM'
): Promise<void> {
  const before = new Set(lines.items.filter(({ msg }) => msg === `${role} is ready`))
  process.kill(Number(pid), signal)
  await lines.when((line) => line.msg === `${role} is ready` && !before.has(line))
}

/** Whether it ended before the deadline. */
async function within(deadline: AbortSignal, work: () => Promise<void>): Promise<boolean> {
  const late = Promise.withResolvers<boolean>()
  const expire = () => late.resolve(false)
  deadline.addEventListener('abort', expire, { once: true })
  try {
    return await Promise.race([work().then(() => true), late.promise])
  } finally {
    deadline.removeEventListener('abort', expire)
  }
}

/** Resolves when no notification is on its way and no event is in the queue. */
async function comeToRest(
  { cloudinary, sqs }: { cloudinary: CloudinaryStandIn; sqs: EmbeddedSqs },
  deadline: AbortSignal
): Promise<void> {
  let seen: number
  do {
    seen = cloudinary.deliveries.length
    await cloudinary.idle()
    await sleep(REST_POLL_MS)
  } while (!deadline.aborted && (messagesIn(sqs) > 0 || cloudinary.deliveries.length > seen))
}

function messagesIn(sqs: EmbeddedSqs): number {
  const { ready, delayed, inflight } = sqs.server.inspectQueue(QUEUE_NAME)!.messages
  return ready.length + delayed.length + inflight.length
}

async function stop(system: System): Promise<void> {
  const killing = setTimeout(() => {
    for (const { pid } of [system.web, ...system.workers]) if (pid) process.kill(pid, 'SIGKILL')
  }, STOP_WITHIN_MS)
  await system.stop()
  clearTimeout(killing)
}
