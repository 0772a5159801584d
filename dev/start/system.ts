import { setTimeout as pause } from 'node:timers/promises'
import { inspectConfig } from '../../app/config.ts'
import type { Processor } from '../../app/listener.ts'
import { loadListener } from '../../app/load-listener.ts'
import type { CloudinaryOptions, CloudinaryStandIn } from '../cloudinary/server.ts'
import type { EmbeddedDynamoDb } from '../dynamodb.ts'
import type { EmbeddedSqs } from '../sqs.ts'
import { startStandIns } from '../stand-ins.ts'
import { Child, type LogLine } from './child.ts'
import { type Provision, provide } from './provisions.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface SystemOptions {
  /**
   * What the roles are configured with. Without `QUEUE_URL` the queues are embedded, without `JOURNAL_TABLE` the
   * journal is; without `CLOUDINARY_URL` and `CLOUDINARY_SECRET_ID` Cloudinary is the stand-in. What else the
   * processors require is embedded where it can be.
   */
  environment: Environment
  onLine: (line: LogLine) => void
  /** How many worker processes; default 1. With a `POLL_CHANNEL` there is a `poll` process as well. */
  workers?: number
  /** Of the Cloudinary stand-in; default 0: a free one. */
  cloudinaryPort?: number
  /** Multiplies the pauses after which the Cloudinary stand-in tries again to deliver. */
  retryScale?: number
  /** What else the Cloudinary stand-in is to do. */
  cloudinary?: Partial<CloudinaryOptions>
  /** Changes the variables by which the roles find what is embedded, to put something between. */
  reroute?: (environment: Record<string, string>) => Promise<Record<string, string>>
}

export interface System {
  /** Undefined where a real one is used. */
  cloudinary: CloudinaryStandIn | undefined
  sqs: EmbeddedSqs | undefined
  dynamoDb: EmbeddedDynamoDb | undefined
  webhookUrl: string
  /** Lines for people to read: how to look into what is embedded for processors. */
  hints: readonly string[]
  /** The variables by which commands find what is embedded. */
  embedded: Readonly<Record<string, string>>
  web: Child
  workers: Child[]
  /** Resolves when no notification is on its way and no event is in the queue, or when it is stopped; of stand-ins only. */
  atRest: () => Promise<void>
  stop: () => Promise<void>
}

const POLL_MS = 20

/**
 * Starts the whole system: what is missing of the outside inside this process, `web` and the workers as
 * processes of their own, exactly as in production.
 *
 * @throws {Error} when a role ends before it is ready; its own lines say why
 */
export async function startSystem(options: SystemOptions): Promise<System> {
  const { environment, onLine, retryScale, cloudinaryPort, cloudinary } = options
  const standIns = await startStandIns({
    retryScale,
    cloudinaryPort,
    cloudinary,
    forwardSecret: environment.FORWARD_SECRET || undefined
  })
  const { ownCloudinary, ownQueue, ownJournal } = ownParts(environment)
  const {
    CLOUDINARY_URL,
    QUEUE_URL,
    DEAD_LETTER_QUEUE_URL,
    AWS_ENDPOINT_URL_SQS,
    JOURNAL_TABLE,
    AWS_ENDPOINT_URL_DYNAMODB,
    // where processors need them, they are provided
    FORWARD_SECRET,
    NOTIFY_TOPIC_ARN,
    AWS_ENDPOINT_URL_SNS,
    ...identity
  } = (await options.reroute?.(standIns.environment)) ?? standIns.environment
  const embedded = {
    ...(!ownQueue && { QUEUE_URL, DEAD_LETTER_QUEUE_URL, AWS_ENDPOINT_URL_SQS }),
    ...(!ownJournal && { JOURNAL_TABLE, AWS_ENDPOINT_URL_DYNAMODB }),
    // what is embedded takes any, so that what is not gets the one it knows
    ...(!ownQueue && !ownJournal && identity),
    // Cloudinary on this machine reaches the webhook on this machine
    ...(!ownCloudinary && { CLOUDINARY_URL, ...localWebhook(environment) })
  } as Record<string, string>

  let provided: Provision | undefined
  const children: Child[] = []
  const startChild = async (role: string): Promise<[Child, LogLine]> => {
    const ready = Promise.withResolvers<LogLine>()
    const child = new Child({
      role,
      shortLifeMs: 10_000,
      environment: { HOST: '127.0.0.1', ...environment, ...embedded, ...provided?.environment },
      onLine: (line) => {
        onLine(line)
        if (line.msg === `${role} is ready`) ready.resolve(line)
      },
      onDeath: ({ code, signal, pauseMs }) => {
        ready.reject(new Error(`${role} has ended (${signal ?? `exit code ${code}`})`))
        onLine({ role, level: 'error', msg: `${role} has ended; starting it again`, code, signal, pauseMs })
      }
    })
    children.push(child)
    return [child, await ready.promise]
  }
  const stop = async () => {
    await Promise.all(children.map((child) => child.stop()))
    await provided?.stop()
    await standIns.stop()
  }

  try {
    provided = await provide({ processors: await processorsOf(environment), environment, standIns })
    const [[web, { webhook }], workers] = await Promise.all([
      startChild('web'),
      Promise.all(Array.from({ length: options.workers ?? 1 }, () => startChild('worker'))),
      environment.POLL_CHANNEL ? startChild('poll') : undefined
    ])
    const webhookUrl = String(webhook)
    standIns.cloudinary.setNotificationUrl(webhookUrl)
    return {
      cloudinary: ownCloudinary ? undefined : standIns.cloudinary,
      sqs: ownQueue ? undefined : standIns.sqs,
      dynamoDb: ownJournal ? undefined : standIns.dynamoDb,
      webhookUrl,
      hints: provided.hints,
      embedded: { ...embedded, ...provided.environment },
      web,
      workers: workers.map(([worker]) => worker),
      async atRest() {
        await standIns.atRest()
        // what the roles logged of it comes through a pipe, and may come later
        await pause(POLL_MS)
      },
      stop
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Which parts of the outside are given, and so not embedded. */
export const ownParts = (environment: Environment) => ({
  ownCloudinary: Boolean(environment.CLOUDINARY_URL || environment.CLOUDINARY_SECRET_ID),
  ownQueue: Boolean(environment.QUEUE_URL),
  ownJournal: Boolean(environment.JOURNAL_TABLE)
})

/** Where calls that ask for a notification of their result have it sent, if the port is known beforehand. */
function localWebhook({ PORT, WEBHOOK_URL }: Environment): { WEBHOOK_URL?: string } {
  if (WEBHOOK_URL || !Number(PORT)) return {}
  return { WEBHOOK_URL: `http://127.0.0.1:${PORT}/webhooks/cloudinary` }
}

/** Those of the listener that the roles will load; none where they cannot, and will say why. */
async function processorsOf(environment: Environment): Promise<readonly Processor[]> {
  const { LISTENER_CONFIG } = inspectConfig([], environment).config
  if (LISTENER_CONFIG === undefined) return []
  const listener = await loadListener(LISTENER_CONFIG).catch(() => undefined)
  return listener?.processors ?? []
}
