import { once } from 'node:events'
import { ListenerError } from '../../app/errors.ts'
import { createLogFormat } from '../log-format.ts'
import { writeEnvironmentFile } from './environment-file.ts'
import { sendFirstUpload } from './first-upload.ts'
import { followEdits } from './follow-edits.ts'
import { describeTaken, isFree } from './ports.ts'
import type { LogLine } from './role-process.ts'
import type { System, startSystem } from './system.ts'
import { LOCAL_ACTIVITY_PASSWORD, whatNext, whatStarts } from './what-next.ts'

export interface StartDependencies {
  /** Environment of the roles. */
  environment: Readonly<Record<string, string | undefined>>
  /** True if log lines are coloured. */
  colors: boolean
  print: (text: string) => void
  /** Stops the system. */
  until: AbortSignal
  startSystem: typeof startSystem
  /** Maximum time to wait for the first upload, in milliseconds. (Default: 30,000) */
  journeyMs?: number
  /** Ports that are used if they are free. */
  usualPorts: { web: number; cloudinary: number }
}

/**
 * Starts the system, sends one upload through it, and keeps it running.
 *
 * @returns the exit code: 0 after it was stopped, 1 when it did not start
 */
export async function runStart(dependencies: StartDependencies): Promise<0 | 1> {
  const { environment, print, until, usualPorts } = dependencies
  const log = createLog(dependencies)
  print(whatStarts(environment))
  let system: System
  try {
    system = await dependencies.startSystem({
      environment: { ...environment, PORT: await webPort(environment.PORT, usualPorts.web, print) },
      cloudinaryPort: Number(await usualPort(usualPorts.cloudinary, 'the Cloudinary stand-in', print)),
      activityPassword: environment.ACTIVITY_PASSWORD || LOCAL_ACTIVITY_PASSWORD,
      onLine: log.onLine
    })
  } catch (error) {
    print(describeFailure(error as Error, environment.LOG_LEVEL))
    return 1
  }
  const writeEnvironment = () =>
    writeEnvironmentFile(system.webhookUrl, {
      LISTENER_CONFIG: environment.LISTENER_CONFIG,
      ...system.embedded
    })
  let environmentFile = writeEnvironment()
  process.once('exit', environmentFile.remove)
  let shownHints = new Set(system.hints)
  const edits = followEdits(system, {
    print,
    onRestart() {
      environmentFile = writeEnvironment()
      for (const hint of system.hints.filter((line) => !shownHints.has(line))) print(hint)
      shownHints = new Set(system.hints)
    }
  })
  const { cloudinary } = system
  if (cloudinary) await sendFirstUpload({ ...dependencies, system, cloudinary, lines: log.lines })
  print(whatNext(system, environment, environmentFile.path))
  log.follow()

  if (!until.aborted) await once(until, 'abort')
  print('\nStopping after the events in flight. Press Ctrl-C again to exit at once.')
  edits.stop()
  await system.stop()
  environmentFile.remove()
  process.off('exit', environmentFile.remove)
  return 0
}

/** Prints only problems and output that is not from the logger until `follow`, then every line. */
function createLog({ colors, print }: StartDependencies) {
  const format = createLogFormat({ colors })
  const lines: LogLine[] = []
  const reported = new Set<string>()
  let isFollowing = false
  return {
    /** The lines before `follow`. */
    lines,
    follow() {
      isFollowing = true
    },
    onLine(line: LogLine) {
      // metrics are for CloudWatch
      if ('_aws' in line) return
      const { level, msg, time, code } = line
      const isProblem = ['warn', 'error', 'fatal'].includes(String(level)) || time === undefined
      // web and worker report the same invalid variable
      const isRepeated = level === 'fatal' && code !== undefined && reported.has(`${msg}`)
      if (level === 'fatal') reported.add(`${msg}`)
      if ((isFollowing || isProblem) && !isRepeated) {
        print(time ? format(line).trimEnd() : `${line.role}: ${msg}`)
      }
      if (!isFollowing) lines.push(line)
    }
  }
}

/** Shows a stack for an error that the user can correct only at the log level `debug`. */
function describeFailure(error: Error, level: string | undefined): string {
  if (!(error instanceof ListenerError))
    return `Not started: ${error.message}. The lines above give the reason.`
  const stack = level === 'debug' && error.cause ? `\n\n${error.cause}` : ''
  return `Not started. Correct this, then start again:\n\n  ${error.message.replaceAll('\n', '\n  ')}${stack}\n`
}

/** @throws {ListenerError} when the requested port is taken */
async function webPort(
  requested: string | undefined,
  usual: number,
  print: StartDependencies['print']
): Promise<string> {
  if (!requested) return usualPort(usual, 'web', print)
  const port = Number(requested)
  // an invalid port is reported with the other variables
  if (!(port > 0 && port < 65_536) || (await isFree(port))) return requested
  const taken = await describeTaken(port)
  throw new ListenerError('PORT_TAKEN', `PORT is ${requested}, but ${taken}; stop that, or set another PORT`)
}

/** Returns the usual port, or 0, any free port, where it is taken. */
async function usualPort(usual: number, user: string, print: StartDependencies['print']): Promise<string> {
  if (await isFree(usual)) return String(usual)
  const taken = await describeTaken(usual)
  print(`${taken[0]?.toUpperCase()}${taken.slice(1)}; ${user} listens on a free port instead.`)
  return '0'
}
