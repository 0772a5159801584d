import { once } from 'node:events'
import { createServer } from 'node:net'
import { prettyFactory } from 'pino-pretty'
import type { CloudinaryStandIn } from '../cloudinary/server.ts'
import type { LogLine } from './child.ts'
import { writeEnvironmentFile } from './environment-file.ts'
import { describeJourney } from './journey.ts'
import { type System, startSystem } from './system.ts'
import { whatNext } from './what-next.ts'

export interface Surroundings {
  /** What is handed on to the roles. */
  environment: Readonly<Record<string, string | undefined>>
  /** Whether log lines are in colours. */
  colors: boolean
  print: (text: string) => void
  /** When it is aborted, the system is stopped. */
  until: AbortSignal
}

const DEFAULT_PORT = 8080

/** That of the stand-in for Cloudinary, as `docker compose` has it: an address that listener.config.ts can name. */
const CLOUDINARY_PORT = 4000

/** How long the journey of one upload may take, in milliseconds, before this says that it did not arrive. */
const JOURNEY_MS = 30_000

/**
 * What `npm start` does: it starts the system, pushes one upload through it, and keeps it up.
 *
 * @returns the exit code: 0 once it was stopped; 1 when it did not start
 */
export async function run({ environment, colors, print, until }: Surroundings): Promise<0 | 1> {
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

  print('Starting SQS, DynamoDB and Cloudinary as stand-ins, web and worker …')
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
  if (system.cloudinary) await pushOneUpload(system, system.cloudinary, lines, print)
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
  print: (text: string) => void
): Promise<void> {
  const publicId = 'hello/first-upload'
  const uploadedAt = Date.now()
  cloudinary.as().upload({ publicId, resourceType: 'image' })
  const timeUp = setTimeout(() => {
    /* v8 ignore next -- it takes 30 s */
    print(`\nThe upload has not arrived within ${JOURNEY_MS / 1000} s; the lines above may say why.`)
  }, JOURNEY_MS)
  await system.atRest()
  clearTimeout(timeUp)
  print(`\nThe journey of one upload, ${publicId}:\n`)
  for (const step of describeJourney({ uploadedAt, deliveries: cloudinary.deliveries, lines })) print(step)
  const asset = cloudinary.assets.find(publicId)
  print(`\nThe asset now: tags ${JSON.stringify(asset?.tags)}, metadata ${JSON.stringify(asset?.metadata)}`)
  const ownKey = cloudinary.cloud().own.apiKey
  const own = cloudinary.deliveries.filter(
    ({ body }) => JSON.parse(body).notification_context.triggered_by.id === ownKey
  )
  print(`${own.length} notifications of our own changes came back and changed nothing further: no loop.`)
}

/** The usual port, or any free one where that is taken. */
async function freePort(usual: number): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(0))
    server.listen(usual, '127.0.0.1', () => server.close(() => resolve(usual)))
  })
}
