import { pino } from 'pino'
import type { Test } from 'tap'
import { readConfig } from '../../app/config.ts'
import { defineListener, type Processor } from '../../app/listener.ts'
import { SERIALIZERS } from '../../app/logger.ts'
import { startRole } from '../../app/roles/role.ts'
import { LOCAL_CLOUDINARY } from '../../app/testing/defaults.ts'
import { Recorder } from '../../dev/cloudinary/recorder.ts'
import { type StandIns, type StandInsOptions, startStandIns } from '../../dev/stand-ins.ts'
import type { LogLine } from '../../dev/start/role-process.ts'
import { ROLES } from './roles.ts'
import { withShortPolls } from './short-polls.ts'

export interface ListenerUnderTest extends StandIns {
  /** All log lines of the roles. */
  lines: LogLine[]
  /** Resolves with the first line, past or future, that matches. */
  logged: (matches: (line: LogLine) => boolean) => Promise<LogLine>
  /** All lines with metrics; empty unless METRICS_NAMESPACE is set. */
  metricLines: string[]
  /** URL of the webhook. */
  webhookUrl: string
  /** Stops the role `poll`, if it was started. */
  stopPoll: () => Promise<void>
  /** Stops the worker as a deployment does, and starts a new one. */
  restartWorker: () => Promise<void>
  /** Stops the worker as a deployment does. */
  stopWorker: () => Promise<void>
  startWorker: () => Promise<void>
  /** Stops all roles as a deployment does; the stand-ins stay up until the test ends. */
  stopRoles: () => Promise<void>
}

export interface ListenerOptions extends StandInsOptions {
  environment?: Record<string, string>
  /** Retries after 1 s, or at the end of a rate limit. (Default: exponential backoff with jitter) */
  retriesSoon?: boolean
}

/**
 * Starts `web` and `worker` (and `poll` with a `POLL_CHANNEL`) in this process, wired as in `app/main.ts`, on
 * the stand-ins: a system test without the start-up time of processes. Sets this process's environment. After
 * the test, stops everything, and fails if a log line contains a secret.
 */
export async function buildListener(
  t: Test,
  processors:
    | readonly Processor[]
    | ((standIns: StandIns) => readonly Processor[] | Promise<readonly Processor[]>),
  { environment = {}, retriesSoon = false, ...options }: ListenerOptions = {}
): Promise<ListenerUnderTest> {
  const standIns = await withShortPolls(() => startStandIns({ retryScale: 0.001, ...options }))
  const variables: Record<string, string> = {
    HOST: '127.0.0.1',
    PORT: '0',
    ...standIns.environment,
    ...environment
  }
  Object.assign(process.env, variables)
  const recorder = new Recorder<LogLine>(Number.POSITIVE_INFINITY)
  const lines = recorder.items
  const write = (text: string) => {
    const line = JSON.parse(text)
    recorder.add(line)
    recorder.settle(line)
  }
  const log = (role: string) => pino({ level: 'debug', base: { role }, serializers: SERIALIZERS }, { write })
  const listener = defineListener({
    processors: typeof processors === 'function' ? await processors(standIns) : processors
  })
  const metricLines: string[] = []
  const start = (role: string) =>
    startRole(role, ROLES[role]!, {
      config: readConfig(ROLES[role]!.requires),
      listener,
      log: log(role),
      write: (line) => void metricLines.push(line)
    })
  const stopWeb = await start('web')
  const webhookUrl = String(lines.find(({ msg }) => msg === 'web is ready')?.webhook)
  Object.assign(process.env, { WEBHOOK_URL: webhookUrl }, environment)
  const startWorkerRole = async () => {
    const { random } = Math
    // the worker keeps the function that it finds when it starts
    if (retriesSoon) Math.random = () => 0
    try {
      return await start('worker')
    } finally {
      Math.random = random
    }
  }
  let stopWorker = await startWorkerRole()
  const startWorker = async () => {
    stopWorker = await startWorkerRole()
  }
  const stopPoll = environment.POLL_CHANNEL ? await start('poll') : async () => {}
  standIns.cloudinary.setNotificationUrl(webhookUrl)
  let stopped: Promise<void> | undefined
  const stopAll = async () => {
    await stopPoll()
    await stopWeb()
    await stopWorker()
  }
  const stopRoles = () => {
    stopped ??= stopAll()
    return stopped
  }
  t.teardown(async () => {
    await stopRoles()
    await standIns.stop()
    const log = [...lines.map((line) => JSON.stringify(line)), ...metricLines].join('\n')
    const secrets = [
      LOCAL_CLOUDINARY.apiSecret,
      variables.FORWARD_SECRET,
      ...standIns.cloudinary.deliveries.map(({ headers }) => headers['x-cld-signature'])
    ]
    if (secrets.some((secret) => secret && log.includes(secret))) {
      throw new Error('the log contains a secret or a signature')
    }
  })
  return {
    ...standIns,
    lines,
    logged: (matches) => recorder.when(matches),
    metricLines,
    webhookUrl,
    stopPoll,
    async restartWorker() {
      await stopWorker()
      await startWorker()
    },
    stopWorker: () => stopWorker(),
    startWorker,
    stopRoles
  }
}
