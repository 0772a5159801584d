import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { ListenerError } from '../../app/errors.ts'
import type { CloudinaryStandIn } from '../cloudinary/cloudinary-server.ts'
import { createLogFormat } from '../log-format.ts'
import { writeEnvironmentFile } from './environment-file.ts'
import { followEdits } from './follow-edits.ts'
import { describeJourney } from './journey.ts'
import { describeTaken, isFree } from './ports.ts'
import type { LogLine } from './role-process.ts'
import { type System, startSystem } from './system.ts'
import { whatNext, whatStarts } from './what-next.ts'

export interface Surroundings {
  /** What is handed on to the roles. */
  environment: Readonly<Record<string, string | undefined>>
  /** Whether log lines are in colours. */
  colors: boolean
  print: (text: string) => void
  /** When it is aborted, the system is stopped. */
  until: AbortSignal
  /** How long the journey of one upload is waited for, in milliseconds; default 30 s. */
  journeyMs?: number
}

const DEFAULT_PORT = 8080

/** That of the stand-in for Cloudinary, as `docker compose` has it: an address that listener.config.ts can name. */
const CLOUDINARY_PORT = 4000

/**
 * What `npm start` does: it starts the system, pushes one upload through it, and keeps it up.
 *
 * @returns the exit code: 0 once it was stopped; 1 when it did not start
 */
export async function run(surroundings: Surroundings): Promise<0 | 1> {
  const { environment, colors, print, until } = surroundings
  const format = createLogFormat({ colors })
  const lines: LogLine[] = []
  const said = new Set<string>()
  let following = false
  const onLine = (line: LogLine) => {
    // metrics are for CloudWatch
    if ('_aws' in line) return
    const { level, msg, time, code } = line
    const serious = ['warn', 'error', 'fatal'].includes(String(level)) || time === undefined
    // web and worker find the same variable invalid
    const repeated = level === 'fatal' && code !== undefined && said.has(`${msg}`)
    if (level === 'fatal') said.add(`${msg}`)
    if ((following || serious) && !repeated) print(time ? format(line).trimEnd() : `${line.role}: ${msg}`)
    if (!following) lines.push(line)
  }

  print(whatStarts(environment))
  let system: System
  try {
    system = await startSystem({
      environment: { ...environment, PORT: await webPort(environment.PORT, print) },
      cloudinaryPort: Number(await usualPort(CLOUDINARY_PORT, 'the Cloudinary stand-in', print)),
      onLine
    })
  } catch (error) {
    print(describeFailure(error as Error, environment.LOG_LEVEL))
    return 1
  }
  let environmentFile = writeEnvironment(system, environment)
  process.once('exit', environmentFile.remove)
  let hinted = new Set(system.hints)
  const edits = followEdits(system, {
    print,
    onRestart() {
      environmentFile = writeEnvironment(system, environment)
      for (const hint of system.hints.filter((line) => !hinted.has(line))) print(hint)
      hinted = new Set(system.hints)
    }
  })
  if (system.cloudinary) await pushOneUpload(system, system.cloudinary, lines, surroundings)
  print(whatNext(system, environment, environmentFile.path))
  following = true

  if (!until.aborted) await once(until, 'abort')
  print('\nStopping; what is in flight is finished first. Press Ctrl-C again to end it at once.')
  edits.stop()
  await system.stop()
  environmentFile.remove()
  process.off('exit', environmentFile.remove)
  return 0
}

const writeEnvironment = (
  { webhookUrl, embedded }: System,
  { LISTENER_CONFIG }: Surroundings['environment']
) => writeEnvironmentFile(webhookUrl, { LISTENER_CONFIG, ...embedded })

/** Why it has not started. Of what a user can correct there is no stack, unless it is asked for. */
function describeFailure(error: Error, level: string | undefined): string {
  if (!(error instanceof ListenerError)) {
    return `Not started: ${error.message}. The lines above say why.`
  }
  const stack = level === 'debug' && error.cause ? `\n\n${error.cause}` : ''
  return `Not started. Correct this, then start again:\n\n  ${error.message.replaceAll('\n', '\n  ')}${stack}\n`
}

/** @throws {ListenerError} when the port that was asked for is taken */
async function webPort(asked: string | undefined, print: Surroundings['print']): Promise<string> {
  if (!asked) return usualPort(DEFAULT_PORT, 'web', print)
  const port = Number(asked)
  // what is not a port is reported with the other variables
  if (!(port > 0 && port < 65_536) || (await isFree(port))) return asked
  const taken = await describeTaken(port)
  throw new ListenerError('PORT_TAKEN', `PORT is ${asked}, but ${taken}; stop that, or set another PORT`)
}

/** The usual port, or any free one where that is taken. */
async function usualPort(usual: number, who: string, print: Surroundings['print']): Promise<string> {
  if (await isFree(usual)) return String(usual)
  const taken = await describeTaken(usual)
  print(`${taken[0]?.toUpperCase()}${taken.slice(1)}; ${who} listens on a free port instead.`)
  return '0'
}

async function pushOneUpload(
  system: System,
  cloudinary: CloudinaryStandIn,
  lines: readonly LogLine[],
  { print, until, journeyMs = 30_000 }: Surroundings
): Promise<void> {
  const publicId = 'hello/first-upload'
  const uploadedAt = Date.now()
  cloudinary.as().upload({ publicId, resourceType: 'image' })
  const waited = new AbortController()
  const ending = await Promise.race([
    system.atRest().then(() => 'done'),
    pause(journeyMs, 'late', { signal: AbortSignal.any([until, waited.signal]) }).catch(() => 'stopped')
  ])
  waited.abort()
  if (ending === 'stopped') return
  print(`\nThe journey of one upload, ${publicId}:\n`)
  for (const step of describeJourney({ uploadedAt, deliveries: cloudinary.deliveries, lines })) print(step)
  const asset = cloudinary.assets.find(publicId)
  print(`\nThe asset now: tags ${JSON.stringify(asset?.tags)}, metadata ${JSON.stringify(asset?.metadata)}`)
  if (ending === 'late') {
    print(`It is not done after ${journeyMs / 1000} s, and goes on; the lines above may say why.`)
    return
  }
  const ownKey = cloudinary.cloud().own.apiKey
  const own = cloudinary.deliveries.filter(
    ({ body }) => JSON.parse(body).notification_context.triggered_by.id === ownKey
  ).length
  print(`Notifications of our own changes that came back and changed nothing further: ${own}. No loop.`)
}
