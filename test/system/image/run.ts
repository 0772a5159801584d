import { execFile } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'

/**
 * Builds the production image, starts each role from it against the stand-ins, and sends an upload through
 * them. Needs Docker with Compose 2.24 or newer. Exits 1 if a check fails.
 */

const IMAGE = 'listener-image-check'
const FILES = ['docker-compose.yml', 'test/system/image/compose.yml']
const COMPOSE = ['compose', '--project-name', IMAGE, ...FILES.flatMap((file) => ['--file', file])]
const ROLES = ['web', 'activity', 'worker', 'poll']

/** Folders that the image must not contain. */
const UNWANTED = ['bench', 'dev', 'docs', 'infra', 'test']

/** Maximum time of a check, in milliseconds. */
const WITHIN_MS = 120_000

const PAUSE_MS = 500

const run = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)('docker', args, { maxBuffer: 64 * 2 ** 20 })).stdout

const compose = (...args: string[]) => run(...COMPOSE, ...args)

interface Container {
  Service: string
  State: string
  Health: string
  ExitCode: number
}

async function containers(): Promise<Map<string, Container>> {
  const lines = (await compose('ps', '--all', '--format', 'json')).split('\n').filter(Boolean)
  return new Map(
    lines.map((line) => JSON.parse(line) as Container).map((container) => [container.Service, container])
  )
}

/** Returns the origin of a service's port on this machine. */
const originOf = async (service: string, port: number): Promise<string> =>
  `http://${(await compose('port', service, String(port))).trim()}`

async function isHealthy(role: string): Promise<boolean> {
  return (await containers()).get(role)?.Health === 'healthy'
}

const logged = async (role: string, text: string): Promise<boolean> =>
  (await compose('logs', '--no-log-prefix', role)).includes(`"msg":"${text}"`)

async function json(url: string, init?: RequestInit): Promise<unknown> {
  const response = await fetch(url, init)
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  return response.json()
}

async function isTagged(publicId: string): Promise<boolean> {
  const assets = await json(`${await originOf('stand-ins', 4000)}/_standin/assets`)
  return (assets as { public_id: string; tags?: string[] }[]).some(
    ({ public_id, tags }) => public_id === publicId && tags?.includes('Hello World!')
  )
}

async function isOnActivityPage(publicId: string): Promise<boolean> {
  const login = Buffer.from('listener:local-activity').toString('base64')
  const feed = await json(`${await originOf('activity', 8081)}/api/activity/events`, {
    headers: { authorization: `Basic ${login}` }
  })
  return JSON.stringify(feed).includes(publicId)
}

/** Ends when `condition` returns true. An error counts as false, since a role may not listen yet. */
async function check(what: string, condition: () => Promise<boolean>, withinMs = WITHIN_MS): Promise<void> {
  const until = Date.now() + withinMs
  let problem: unknown = ''
  do {
    try {
      if (await condition()) return console.log(`ok      ${what}`)
    } catch (error) {
      problem = error
    }
    await pause(PAUSE_MS)
  } while (Date.now() < until)
  throw new Error(`not ok  ${what} ${problem}`)
}

async function checkImage(): Promise<void> {
  const script = 'JSON.stringify([process.getuid(), ...fs.readdirSync(".")])'
  const printed = await run('run', '--rm', '--entrypoint', 'node', IMAGE, '--print', script)
  const [user, ...files] = JSON.parse(printed) as [number, ...string[]]
  await check('the image runs as the user node', async () => user === 1000, 0)
  const unwanted = files.filter((file) => UNWANTED.includes(file) || file.startsWith('.'))
  await check(`the image contains ${files.join(', ')}`, async () => unwanted.length === 0, 0)
}

/** An edit of a stand-in must not cause a deployment. */
async function checkEditOfStandIns(): Promise<void> {
  const layers = () => run('image', 'inspect', '--format', '{{ json .RootFS.Layers }}', IMAGE)
  const before = await layers()
  const file = 'dev/image-check.ts'
  try {
    writeFileSync(file, '// made by test/system/image/run.ts\n')
    await compose('build', '--quiet', 'web')
  } finally {
    rmSync(file, { force: true })
  }
  const after = await layers()
  await check('an edit under dev/ does not change the image', async () => after === before, 0)
}

async function checkRoles(): Promise<void> {
  for (const role of ['web', 'activity']) await check(`${role} is healthy`, () => isHealthy(role))
  for (const role of ['worker', 'poll'])
    await check(`${role} is ready`, () => logged(role, `${role} is ready`))
  const command = (...args: string[]) => compose('run', '--rm', '--no-deps', 'worker', ...args)
  const webhook = 'http://web:8080/webhooks/cloudinary'
  await check('a canary ends', async () => /ended/.test(await command('canary', '--url', webhook)), 0)
  await command('setup', '--poll', 'image-check')
  const upload = { method: 'POST', body: new URLSearchParams({ public_id: 'image-check' }) }
  await json(`${await originOf('stand-ins', 4000)}/_standin/upload`, upload)
  await check('worker tags an upload', () => isTagged('image-check'))
  await check('poll stores a notification', () => logged('poll', 'notification accepted'))
  await check('activity lists the event', () => isOnActivityPage('image-check'))
  await compose('stop', ...ROLES)
  for (const [role, { ExitCode }] of await containers()) {
    if (ROLES.includes(role)) await check(`${role} stops by itself`, async () => ExitCode === 0, 0)
  }
}

try {
  await compose('build', '--quiet')
  await checkImage()
  await checkEditOfStandIns()
  await compose('up', '--detach', ...ROLES)
  await checkRoles()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  console.error(await compose('logs', '--tail', '30').catch(String))
  process.exitCode = 1
} finally {
  await compose('down', '--volumes', '--remove-orphans').catch(() => {})
}
