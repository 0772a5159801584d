import { once } from 'node:events'
import { createServer } from 'node:net'
import { parseArgs } from 'node:util'
import { prettyFactory } from 'pino-pretty'
import type { CloudinaryStandIn } from './cloudinary/server.ts'
import type { LogLine } from './start/child.ts'
import { writeEnvironmentFile } from './start/environment-file.ts'
import { describeJourney } from './start/journey.ts'
import { startSystem } from './start/system.ts'

const USAGE = `Usage: npm start

Starts the whole system on this machine: SQS, DynamoDB and Cloudinary as stand-ins, web and worker as in production.
What processors require and the environment lacks, such as a database, is embedded as well. Pushes one upload through
it, prints its journey, and stays up until Ctrl-C.

  CLOUDINARY_URL=…   uses that Cloudinary instead of the stand-in, and uploads nothing to it
  POLL_CHANNEL=…     starts the role poll as well, which fetches notifications from that channel of Cloudinary
  PORT, LISTENER_CONFIG, LOG_LEVEL, …   are handed on; README.md lists them. .env is read.
`

const DEFAULT_PORT = 8080

/** That of the stand-in for Cloudinary, as `docker compose` has it: an address that listener.config.ts can name. */
const CLOUDINARY_PORT = 4000

/** How long the journey of one upload may take, in milliseconds, before this says that it did not arrive. */
const JOURNEY_MS = 30_000

const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } } })
if (values.help) {
  process.stdout.write(USAGE)
  process.exit()
}

const print = (text = '') => process.stdout.write(`${text}\n`)
const pretty = prettyFactory({
  colorize: process.stdout.isTTY,
  ignore: 'role',
  messageFormat: '{role}: {msg}',
  singleLine: true
})
const lines: LogLine[] = []
let logging = false

function onLine(line: LogLine): void {
  // metrics are for CloudWatch
  if ('_aws' in line) return
  const serious = ['warn', 'error', 'fatal'].includes(String(line.level)) || line.time === undefined
  if (logging || serious) process.stdout.write(line.time ? pretty(line) : `${line.role}: ${line.msg}\n`)
  if (!logging) lines.push(line)
}

print('Starting SQS, DynamoDB and Cloudinary as stand-ins, web and worker …')
const system = await startSystem({
  environment: { ...process.env, PORT: process.env.PORT || String(await freePort(DEFAULT_PORT)) },
  cloudinaryPort: await freePort(CLOUDINARY_PORT),
  onLine
}).catch((error: Error) => {
  print(`Not started: ${error.message}. The lines above say why.`)
  process.exit(1)
})

const { LISTENER_CONFIG } = process.env
const environmentFile = writeEnvironmentFile(system.webhookUrl, { LISTENER_CONFIG, ...system.embedded })

// a second signal changes nothing: the roles are told once
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {})
void Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]).then(async () => {
  print('\nStopping; what is in flight is finished first …')
  environmentFile.remove()
  await system.stop()
  process.exit(0)
})

if (system.cloudinary) await pushOneUpload(system.cloudinary)
printWhatNext()
logging = true

async function pushOneUpload(cloudinary: CloudinaryStandIn): Promise<void> {
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

function printWhatNext(): void {
  const { webhookUrl, cloudinary } = system
  const origin = new URL(webhookUrl).origin
  print(`
It stays up; the log follows. Press Ctrl-C to stop.

  webhook     ${webhookUrl}
  readiness   ${origin}/ready`)
  for (const hint of system.hints) print(hint)
  if (cloudinary) {
    print(`  Cloudinary  ${cloudinary.url} (stand-in); assets: ${cloudinary.url}/_standin/assets

Next, in another terminal:
  curl -X POST ${cloudinary.url}/_standin/upload        upload another asset
  npm run send -- upload --url ${webhookUrl}            send a notification; --help lists types and faults
  npx node --env-file=${environmentFile.path} app/main.ts doctor    run a command on it: doctor, changes, …
  edit listener.config.ts, then start again             change what it does
`)
  } else {
    printOwnCloudinary(process.env.POLL_CHANNEL)
  }
}

/** A channel is one listener's, so the one that is proposed has the user's name in it. */
function printOwnCloudinary(channel: string | undefined): void {
  const proposed = `dev-${process.env.USER?.replace(/[^\w.-]/g, '') || 'me'}`
  const setup = `npx node --env-file-if-exists=.env app/main.ts setup --poll ${channel || proposed}`
  print('\nCloudinary is your own, and nothing was uploaded to it.')
  if (channel) {
    print(`Its notifications are fetched from the poll channel ${channel}: upload something to it. If nothing comes, the
triggers into that channel are missing; with CLOUDINARY_URL set, this creates them:

  ${setup}
`)
  } else {
    print(`Its notifications cannot reach this machine by themselves. Have Cloudinary keep them in a
poll channel, which is fetched from here; with CLOUDINARY_URL set:

  ${setup}
  POLL_CHANNEL=${proposed} npm start

Or have a public address lead to the webhook above, and give it to setup with --url.
`)
  }
}

/** The usual port, or any free one where that is taken. */
async function freePort(usual: number): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(0))
    server.listen(usual, '127.0.0.1', () => server.close(() => resolve(usual)))
  })
}
