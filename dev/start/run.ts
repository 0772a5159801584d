import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { prettyFactory } from 'pino-pretty'
import type { CloudinaryStandIn } from '../cloudinary/server.ts'
import type { LogLine } from './child.ts'
import { writeEnvironmentFile } from './environment-file.ts'
import { describeJourney } from './journey.ts'
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
  const pretty = prettyFactory({
    colorize: colors,
    ignore: 'role',
    messageFormat: '{role}: {msg}',
    singleLine: true
  })
  const lines: LogLine[] = []
  let following = false
  const onLine = (line: LogLine) => {
    // metrics are for CloudWatch
    if ('_aws' in line) return
    const serious = ['warn', 'error', 'fatal'].includes(String(line.level)) || line.time === undefined
    if (following || serious) print(line.time ? pretty(line).trimEnd() : `${line.role}: ${line.msg}`)
    if (!following) lines.push(line)
  }

  print(whatStarts(environment))
  let system: System
  try {
    system = await startSystem({
      environment: { ...environment, PORT: environment.PORT || String(await freePort(DEFAULT_PORT)) },
      cloudinaryPort: await freePort(CLOUDINARY_PORT),
      onLine
    })
  } catch (error) {
    print(`Not started: ${(error as Error).message}. The lines above say why.`)
    return 1
  }
  const { LISTENER_CONFIG } = environment
  const environmentFile = writeEnvironmentFile(system.webhookUrl, { LISTENER_CONFIG, ...system.embedded })
  if (system.cloudinary) await pushOneUpload(system, system.cloudinary, lines, surroundings)
  print(whatNext(system, environment, environmentFile.path))
  following = true

  if (!until.aborted) await once(until, 'abort')
  print('\nStopping; what is in flight is finished first …')
  environmentFile.remove()
  await system.stop()
  return 0
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

/** The usual port, or any free one where that is taken. */
async function freePort(usual: number): Promise<number> {
  return new Promise((resolve) => {
    // who connects meanwhile, looking for another system, would keep it open
    const server = createServer((socket) => socket.destroy())
    server.once('error', () => resolve(0))
    server.listen(usual, '127.0.0.1', () => server.close(() => resolve(usual)))
  })
}
