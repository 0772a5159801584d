import { setTimeout as sleep } from 'node:timers/promises'
import type { CloudinaryStandIn } from '../../../dev/cloudinary/cloudinary-server.ts'
import { Recorder } from '../../../dev/cloudinary/recorder.ts'
import type { EmbeddedDynamoDb } from '../../../dev/embedded-dynamodb.ts'
import { type EmbeddedSqs, QUEUE_NAME } from '../../../dev/embedded-sqs.ts'
import { reportConfig } from '../../../dev/start/report-config.ts'
import type { LogLine, RoleProcess } from '../../../dev/start/role-process.ts'
import { type System, startSystem } from '../../../dev/start/system.ts'
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts'
import { CHILD_ENVIRONMENT, freePort } from '../../support/system.ts'
import { type Account, account, readDeadLetters, readJournal } from './accounting.ts'
import { findDelays, findSecrets, judge } from './judge.ts'
import { EVENTS_PER_ASSET, Load } from './load.ts'
import { type OrderLog, startOrderLog } from './order-log.ts'
import type { Chaos, Scenario } from './scenario.ts'

export interface RunOptions {
  events: number
  /** Initial visibility timeout. (Default: 60 s, the listener's) */
  visibilitySeconds?: number
}

export interface Result extends Account {
  fault: string
  seconds: number
  /** Number of injected faults: killed processes, failed or late calls, extra deliveries. */
  injected: number
  /** Broken guarantees, as text. */
  broken: string[]
}

const WORKERS = 2

/** Scales Cloudinary's retries after 3, 6 and 9 minutes to 1.8, 3.6 and 5.4 s. */
const RETRY_SCALE = 0.01

const WITHIN_SECONDS = 90

/** Low, so that the embedded DynamoDB, at some hundred writes a second, answers within the roles' timeout. */
const CONCURRENCY = 20

/** Time from SIGTERM to SIGKILL, in milliseconds. */
const STOP_WITHIN_MS = 15_000

const REST_POLL_MS = 50

const CONFIG = 'test/system/chaos/listener.config.ts'

/** Runs the whole system under a load and one fault until it comes to rest, and checks the guarantees. */
export async function runScenario(scenario: Scenario, options: RunOptions): Promise<Result> {
  const cleanup = new AsyncDisposableStack()
  try {
    const lines = new Recorder<LogLine>(1_000_000)
    const orderLog = await startOrderLog()
    cleanup.defer(() => orderLog.stop())
    const proxies: Pick<Chaos, 'sqs' | 'dynamoDb'>[] = []
    const system = (await startSystem({
      workers: WORKERS,
      inspect: reportConfig,
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
      await Promise.all([load.run(), scenario.inject?.(chaos)])
      await comeToRest(system, deadline)
    })
    const seconds = (performance.now() - startedAt) / 1000
    const result = account({
      loadEvents: [...load.events.values()],
      calls: system.cloudinary.calls,
      order: orderLog.entries.items,
      journal: await readJournal(system.dynamoDb),
      deadLetters: readDeadLetters(system.sqs)
    })
    const injected =
      chaos.cloudinary.calls.filter(({ fault }) => fault !== null).length +
      [chaos.sqs, chaos.dynamoDb].reduce(
        (sum, { counts }) => sum + counts.slow + counts.error + counts.hang,
        0
      ) +
      lines.items.filter(({ msg }) => msg?.endsWith('exited; restarting')).length +
      load.deliveredAgain
    const broken = [
      ...(atRest ? [] : ['did not come to rest in time']),
      ...(injected === 0 && (scenario.inject || scenario.load?.deliveries)
        ? ['the fault had no effect']
        : []),
      ...judge(scenario, result),
      ...(scenario.withoutDelay ? findDelays(lines.items) : []),
      ...findSecrets(lines.items, system.cloudinary)
    ]
    return { fault: scenario.fault, seconds, injected, broken, ...result }
  } finally {
    await cleanup.disposeAsync()
  }
}

/** Points the roles to the proxies. The AWS SDK calls the host in a queue's URL. */
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

/** Speeds SQS up: shorter visibility timeout, and optionally no deduplication from the third message on. */
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

/** Returns whether `work` finished before the deadline. */
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

/** Resolves when no notification is in flight and the queue is empty. */
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
