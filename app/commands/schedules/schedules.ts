import { setTimeout as pause } from 'node:timers/promises'
import type { CloudinaryClients } from '../../cloudinary/clients.ts'
import { readConfig } from '../../config.ts'
import type { Environments } from '../../credentials/environments.ts'
import { createDynamoDbClient } from '../../journal/dynamodb.ts'
import { type State, StateStore } from '../../journal/processor-state.ts'
import { loadListener } from '../../listener-config/load-listener.ts'
import { SILENT } from '../../logger.ts'
import { EventSender } from '../../queue/event-sender.ts'
import { schedulesOf } from '../../schedules/listener-schedules.ts'
import type { Schedule } from '../../schedules/schedule.ts'
import { createClients, createRegionalSqs, loadEnvironments, SEND_MS } from '../../wiring.ts'
import { type Print, readArguments, UsageError } from '../arguments.ts'
import type { Command } from '../command.ts'
import { interruption } from '../interruption.ts'
import { runSchedule } from './run-schedule.ts'
import { SCHEDULES_STATE } from './schedule-progress.ts'
import { SchedulesReport } from './schedules-report.ts'

export const SCHEDULES_USAGE = `Usage: node app/main.ts schedules [option…]

Runs the searches of the schedules in listener.config.ts that became due since they last ran, and sends an
event of type scheduled_search to the queue for each asset found. A schedule that missed several times runs
once. A new schedule starts with its next time. Costs one call of the Admin API for each schedule that is due,
and for each further 500 assets. Stops when a tenth of the hour's calls is left; the next run resumes.

  --schedule NAME      only this schedule; may be repeated
  --environment CLOUD  only this cloud; may be repeated
  --now                runs the schedules now, whether or not they are due
  --every SECONDS      keeps running: looks every SECONDS for schedules that are due, until Ctrl-C
  --dry-run            sends and saves nothing, and prints what it would send

Exit code: 0 on success, also when it stopped before the hour's calls were spent; 1 on an error or
interruption; 2 for a wrong option. Ctrl-C stops it safely.
`

export interface SchedulesArguments {
  /** Undefined for all. */
  names: readonly string[] | undefined
  /** Undefined for all. */
  cloudNames: readonly string[] | undefined
  immediately: boolean
  /** Undefined to run once. */
  everyMs: number | undefined
  dryRun: boolean
}

export interface SchedulesOptions {
  schedules: readonly Schedule[]
  environments: Pick<Environments, 'cloudNames' | 'get'>
  clients: Pick<CloudinaryClients, 'for'>
  state: State
  sender: Pick<EventSender, 'store'>
  print: Print
  /** Stops the run after the current page when it aborts. */
  signal: AbortSignal
  /** Assets per page, at most 500. (Default: 500) */
  pageSize?: number
  /** Milliseconds since the epoch. */
  clock: () => number
}

/** @throws {UsageError} */
export function parseSchedules(args: string[]): SchedulesArguments {
  const { values } = readArguments({
    args,
    options: {
      schedule: { type: 'string', multiple: true },
      environment: { type: 'string', multiple: true },
      now: { type: 'boolean', default: false },
      every: { type: 'string' },
      'dry-run': { type: 'boolean', default: false }
    }
  })
  const { schedule: names, environment: cloudNames, now: immediately, every, 'dry-run': dryRun } = values
  if (every !== undefined && !/^[1-9]\d{0,4}$/.test(every))
    throw new UsageError('--every must be a whole number of seconds from 1 to 99999')
  const everyMs = every === undefined ? undefined : Number(every) * 1000
  return { names, cloudNames, immediately, everyMs, dryRun }
}

/**
 * Runs the schedules that are due in each cloud, and returns the exit code. An error of one does not stop the
 * others.
 *
 * @throws {ListenerError} ENVIRONMENT_UNKNOWN
 * @throws {UsageError} for an unknown schedule
 */
export async function runSchedules(
  { names, cloudNames, immediately, everyMs, dryRun }: SchedulesArguments,
  options: SchedulesOptions
): Promise<number> {
  const { schedules, environments, clients, signal, clock } = options
  const unknown = names?.find((name) => !schedules.some((schedule) => schedule.name === name))
  if (unknown !== undefined) {
    const known = schedules.map(({ name }) => name).join(', ') || 'none'
    throw new UsageError(`there is no schedule "${unknown}"; there are: ${known}`)
  }
  const clouds = (cloudNames ?? environments.cloudNames()).map((name) => environments.get(name).cloudName)
  const report = new SchedulesReport({ print: options.print, dryRun, isQuiet: everyMs !== undefined, clock })
  for (const cloudName of clouds) {
    for (const schedule of schedules) {
      if (names && !names.includes(schedule.name)) continue
      if (schedule.environments && !schedule.environments.includes(cloudName)) continue
      const outcome = await runSchedule({
        cloudName,
        schedule,
        client: clients.for(cloudName, signal),
        state: options.state,
        sender: options.sender,
        immediately,
        dryRun,
        onEvents: (events) => report.events(events),
        pageSize: options.pageSize,
        now: clock(),
        signal
      })
      report.ended(cloudName, schedule, outcome)
      if (signal.aborted) return report.summarize()
    }
  }
  return report.summarize()
}

/**
 * Runs the schedules once, or at the interval `everyMs` until `signal` aborts. With `everyMs`, an error is
 * printed and the next run tries again.
 *
 * @throws {ListenerError} like {@link runSchedules}
 */
export async function keepRunning(
  selection: SchedulesArguments,
  options: SchedulesOptions,
  wait: (milliseconds: number, signal: AbortSignal) => Promise<void> = (milliseconds, signal) =>
    pause(milliseconds, undefined, { signal }).catch(() => {})
): Promise<number> {
  const { everyMs } = selection
  if (everyMs === undefined) return runSchedules(selection, options)
  const { print, signal } = options
  print('schedules is ready')
  await runSchedules(selection, options)
  while (!signal.aborted) {
    await wait(everyMs, signal)
    if (!signal.aborted) await runSchedules({ ...selection, immediately: false }, options)
  }
  return 0
}

export const schedulesCommand: Command = {
  usage: SCHEDULES_USAGE,
  async run(args, print) {
    const selection = parseSchedules(args)
    const config = readConfig(['QUEUE_URL', 'JOURNAL_TABLE'])
    const listener = await loadListener(config.LISTENER_CONFIG)
    const sqs = await createRegionalSqs(SEND_MS)
    const environments = await loadEnvironments(config, SILENT)
    const table = { client: createDynamoDbClient(), tableName: config.JOURNAL_TABLE }
    environments.startBackgroundRefresh()
    return keepRunning(selection, {
      schedules: schedulesOf(listener),
      environments,
      clients: createClients(environments, SILENT),
      state: new StateStore(table).ofCommand(SCHEDULES_STATE),
      sender: new EventSender({ sqs, queueUrl: config.QUEUE_URL }),
      print,
      signal: interruption(),
      clock: Date.now
    })
  }
}
