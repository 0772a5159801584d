import { execFile } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { ConfigError, inspectConfig } from '../../app/config.ts'
import { ListenerError } from '../../app/errors.ts'
import type { CloudinaryOptions, CloudinaryStandIn } from '../cloudinary/server.ts'
import type { EmbeddedDynamoDb } from '../dynamodb.ts'
import type { EmbeddedSqs } from '../sqs.ts'
import { startStandIns } from '../stand-ins.ts'
import type { Child, LogLine } from './child.ts'
import { type ConfigContent, inspectConfigFile } from './inspect-config.ts'
import { provide, together } from './provisions.ts'
import { RoleStarter } from './role-starter.ts'

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
  readonly hints: readonly string[]
  /** The variables by which commands find what is embedded. */
  readonly embedded: Readonly<Record<string, string>>
  web: Child
  readonly workers: Child[]
  /** Absolute paths of the file that a user edits, and of those that it imports. */
  files: readonly string[]
  /** Starts workers that load the user's file as it is now, and then stops those before. Never throws. */
  reload: () => Promise<Reload>
  /** Resolves when no notification is on its way and no event is in the queue, or when it is stopped; of stand-ins only. */
  atRest: () => Promise<void>
  stop: () => Promise<void>
}

export interface Reload {
  /** Which files the user's file imports now. */
  files: readonly string[]
  /** Why the workers of before run on, in one line; undefined once there are new ones. */
  refused?: string
}

const POLL_MS = 20

/**
 * Starts the whole system: what is missing of the outside inside this process, `web` and the workers as
 * processes of their own, as in production.
 *
 * @throws {ListenerError} for variables or a file of the user's that are not valid
 * @throws {Error} when a role ends before it is ready; its own lines say why
 */
export async function startSystem(options: SystemOptions): Promise<System> {
  const { environment, onLine, retryScale, cloudinaryPort, cloudinary } = options
  const { config, problems } = inspectConfig([], environment)
  if (problems.length > 0) throw new ConfigError(problems.map(({ line }) => line))
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

  let provided = together([])
  let workers: Child[] = []
  const variables = () => ({ HOST: '127.0.0.1', ...environment, ...embedded, ...provided.environment })
  const inspect = () => inspectConfigFile(config.LISTENER_CONFIG!, variables())
  /** Starts what the processors require and is not there yet. */
  const provideFor = async ({ processors }: ConfigContent & { outcome: 'loaded' }) => {
    await provided.refresh()
    const more = await provide({
      processors,
      environment: variables(),
      standIns,
      migrate: (added) => migrate({ ...variables(), ...added })
    })
    provided = together([provided, more])
  }
  const roles = new RoleStarter({ environment: variables, onLine })
  const stop = async () => {
    await roles.stop()
    await provided.stop()
    await standIns.stop()
  }

  try {
    const report = await inspect()
    if (report.outcome === 'invalid') {
      const { message, stack } = report
      throw new ListenerError('LISTENER_CONFIG_INVALID', message, { cause: stack })
    }
    await provideFor(report)
    const [[web, { webhook }], started] = await Promise.all([
      roles.start('web'),
      roles.startAll('worker', options.workers ?? 1),
      environment.POLL_CHANNEL ? roles.start('poll') : undefined
    ])
    workers = started
    const webhookUrl = String(webhook)
    standIns.cloudinary.setNotificationUrl(webhookUrl)
    return {
      cloudinary: ownCloudinary ? undefined : standIns.cloudinary,
      sqs: ownQueue ? undefined : standIns.sqs,
      dynamoDb: ownJournal ? undefined : standIns.dynamoDb,
      webhookUrl,
      get hints() {
        return provided.hints
      },
      get embedded() {
        return { ...embedded, ...provided.environment }
      },
      web,
      get workers() {
        return workers
      },
      files: report.files,
      async reload() {
        const now = await inspect()
        const { files } = now
        if (now.outcome === 'invalid') return { files, refused: now.message }
        try {
          await provideFor(now)
          const before = workers
          workers = await roles.startAll('worker', before.length, 'quietly')
          for (const worker of before) void worker.stop()
        } catch (error) {
          return { files, refused: (error as Error).message }
        }
        return { files }
      },
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

/** Runs the command `migrate`, as before a worker starts in production. */
async function migrate(environment: Environment): Promise<void> {
  try {
    await promisify(execFile)(process.execPath, ['app/main.ts', 'migrate'], { env: environment })
  } catch (error) {
    throw new Error((error as { stderr: string }).stderr.trim())
  }
}
