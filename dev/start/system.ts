import { execFile } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { ConfigError, inspectConfig } from '../../app/config.ts'
import { ListenerError } from '../../app/errors.ts'
import type { CloudinaryOptions, CloudinaryStandIn } from '../cloudinary/cloudinary-server.ts'
import type { EmbeddedDynamoDb } from '../embedded-dynamodb.ts'
import type { EmbeddedSqs } from '../embedded-sqs.ts'
import { startStandIns } from '../stand-ins.ts'
import { type ConfigContent, inspectConfigFile } from './inspect-config.ts'
import { nextFreePort } from './ports.ts'
import { type PROVIDERS, provideServices } from './provide-services.ts'
import { combine } from './provided-service.ts'
import type { LogLine, RoleProcess } from './role-process.ts'
import { RoleStarter, type RoleStarterOptions } from './role-starter.ts'
import { ScheduleProcess } from './schedule-process.ts'
import { embeddedVariables, userServices } from './user-services.ts'

export interface SystemOptions {
  /**
   * Environment of the roles. SQS is embedded without `QUEUE_URL`, DynamoDB without `JOURNAL_TABLE`;
   * Cloudinary is the stand-in without `CLOUDINARY_URL` and `CLOUDINARY_SECRET_ID`. Other services that
   * processors require are embedded where possible.
   */
  environment: Readonly<Record<string, string | undefined>>
  onLine: (line: LogLine) => void
  /** Number of worker processes. (Default: 1) With a `POLL_CHANNEL`, a `poll` process starts as well. */
  workers?: number
  /**
   * Starts an `activity` process with this password, at the next free port after that of `web`. (Default:
   * none is started)
   */
  activityPassword?: string | undefined
  /** Port of the Cloudinary stand-in. (Default: any free port) */
  cloudinaryPort?: number
  /** Multiplies the delays before the Cloudinary stand-in retries a delivery. */
  retryScale?: number
  /** Further options of the Cloudinary stand-in. */
  cloudinary?: Partial<CloudinaryOptions>
  /** Changes the variables by which the roles find the stand-ins, to put a proxy between. */
  reroute?: (environment: Record<string, string>) => Promise<Record<string, string>>
  /** The program that runs roles and `migrate`. (Default: `app/main.ts`) */
  program?: string
  /** Starts the roles. (Default: in their own processes) */
  createRoles?: (options: RoleStarterOptions) => Pick<RoleStarter, 'start' | 'startAll' | 'stop'>
  /** Reads the listener's configuration. (Default: in its own process) */
  inspect?: typeof inspectConfigFile
  /** The services that can be embedded for processors. */
  providers?: typeof PROVIDERS
}

export interface System {
  /**
   * The Cloudinary stand-in; undefined if the user's own Cloudinary is used. The same holds for the next two.
   */
  cloudinary: CloudinaryStandIn | undefined
  sqs: EmbeddedSqs | undefined
  dynamoDb: EmbeddedDynamoDb | undefined
  webhookUrl: string
  /** The activity page; undefined without `activityPassword`. */
  activityUrl: string | undefined
  /** Lines for the user: how to look into the services embedded for processors. */
  readonly hints: readonly string[]
  /**
   * The variables that commands need: those of the embedded services, and those the user sets for processors.
   */
  readonly embedded: Readonly<Record<string, string>>
  web: RoleProcess
  readonly workers: RoleProcess[]
  /** Absolute paths of the listener's configuration and of the files it imports. */
  files: readonly string[]
  /** Starts workers with the current configuration, then stops the previous ones. Never throws. */
  reload: () => Promise<Reload>
  /** Resolves when no notification is under way in the stand-ins and the queue is empty, or after `stop`. */
  atRest: () => Promise<void>
  stop: () => Promise<void>
}

export interface Reload {
  /** The files of the current configuration. */
  files: readonly string[]
  /** One line that says why the previous workers still run; undefined after a restart. */
  refused?: string
}

/** Time for a role's last log lines to arrive through their pipe, in milliseconds. */
const LOG_DELAY_MS = 20

/**
 * Starts the whole system: the stand-ins in this process, each role in its own process, as in production.
 *
 * @throws {ListenerError} for invalid variables or an invalid configuration
 * @throws {Error} when a role exits before it is ready; its log lines give the reason
 */
export async function startSystem(options: SystemOptions): Promise<System> {
  const { environment, onLine, retryScale, cloudinaryPort, cloudinary } = options
  const { activityPassword, program = 'app/main.ts', inspect: inspectFile = inspectConfigFile } = options
  const { createRoles = (each) => new RoleStarter(each) } = options
  const { config, problems } = inspectConfig([], environment)
  if (problems.length > 0) throw new ConfigError(problems.map(({ line }) => line))
  const forwardSecret = environment.FORWARD_SECRET || undefined
  const standIns = await startStandIns({ retryScale, cloudinaryPort, cloudinary, forwardSecret })
  const { ownCloudinary, ownQueue, ownJournal } = userServices(environment)
  const reached = (await options.reroute?.(standIns.environment)) ?? standIns.environment
  const embedded = embeddedVariables(environment, reached)

  let provided = combine([])
  let workers: RoleProcess[] = []
  const variables = () => ({ HOST: '127.0.0.1', ...environment, ...embedded, ...provided.environment })
  const inspect = () => inspectFile(config.LISTENER_CONFIG!, variables())
  const migrate = async (added: Readonly<Record<string, string>>) => {
    try {
      await promisify(execFile)(process.execPath, [program, 'migrate'], { env: { ...variables(), ...added } })
    } catch (error) {
      throw new Error((error as { stderr: string }).stderr.trim())
    }
  }
  /** Starts the services that the processors require and that do not run yet. */
  const provideFor = async ({ processors }: ConfigContent & { outcome: 'loaded' }) => {
    await provided.refresh()
    const added = await provideServices(
      { processors, environment: variables(), own: environment, standIns, migrate },
      options.providers
    )
    provided = combine([provided, added])
  }
  const roles = createRoles({ environment: variables, onLine, program })
  const scheduling = new ScheduleProcess({ roles, immediately: !ownCloudinary })
  const startActivity = async (webhookUrl: string, password: string) => {
    // chosen here, since a role that restarts must keep its address
    const port = await nextFreePort(webhookUrl)
    const variables = { PORT: String(port), ACTIVITY_PASSWORD: password }
    const [, { page }] = await roles.start('activity', { variables })
    return String(page)
  }
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
    const startServers = async () => {
      const [web, { webhook }] = await roles.start('web')
      const webhookUrl = String(webhook)
      const activityUrl = activityPassword && (await startActivity(webhookUrl, activityPassword))
      return { web, webhookUrl, activityUrl: activityUrl || undefined }
    }
    const [{ web, webhookUrl, activityUrl }, started] = await Promise.all([
      startServers(),
      roles.startAll('worker', options.workers ?? 1),
      environment.POLL_CHANNEL ? roles.start('poll') : undefined
    ])
    workers = started
    await scheduling.restart(report.schedules)
    standIns.cloudinary.setNotificationUrl(webhookUrl)
    return {
      cloudinary: ownCloudinary ? undefined : standIns.cloudinary,
      sqs: ownQueue ? undefined : standIns.sqs,
      dynamoDb: ownJournal ? undefined : standIns.dynamoDb,
      webhookUrl,
      activityUrl,
      get hints() {
        return [...new Set(provided.hints)]
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
          const previous = workers
          workers = await roles.startAll('worker', previous.length, 'quietly')
          for (const worker of previous) void worker.stop()
          await scheduling.restart(now.schedules)
        } catch (error) {
          return { files, refused: (error as Error).message }
        }
        return { files }
      },
      async atRest() {
        await standIns.atRest()
        await pause(LOG_DELAY_MS)
      },
      stop
    }
  } catch (error) {
    await stop()
    throw error
  }
}
