import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { parseEnv, promisify } from 'node:util'
import t from 'tap'
import { Output } from '../support/output.ts'
import { COVERED } from '../support/role.ts'
import { exited } from './start/fixtures.ts'

const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit']

const LOCAL = {
  CLOUDINARY_URL: '',
  QUEUE_URL: '',
  JOURNAL_TABLE: '',
  PORT: '',
  POLL_CHANNEL: '',
  ACTIVITY_PASSWORD: ''
}

t.test('--help prints the usage', async (t) => {
  const { stdout } = await promisify(execFile)(process.execPath, ['dev/start.ts', '--help'])
  t.match(stdout, /^Usage: npm start/)
})

t.test('processes an upload, runs on, and stops at Ctrl-C', async (t) => {
  const env = { ...process.env, ...LOCAL, ...COVERED }
  const child = spawn(process.execPath, ['dev/start.ts'], { env, stdio })
  const ended = once(child, 'close')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const printed = new Output()
  child.stdout.on('data', (chunk) => printed.add(String(chunk)))
  child.once('close', () => printed.end())
  const [, file] = await printed.waitFor(/--env-file=(\S+) app\/main\.ts doctor/)
  t.match(printed.text, /ms {2}acknowledged {2}upload/)
  t.match(printed.text, /ms {2}processed {5}upload: hello-world-tag/)
  t.match(printed.text, /tags \["Hello World!"\]/)
  t.match(parseEnv(readFileSync(file!, 'utf8')), { JOURNAL_TABLE: /./, CLOUDINARY_URL: /^cloudinary:/ })
  const [, cloudinary] = await printed.waitFor(/Cloudinary {2}(http:\S+)/)
  await fetch(`${cloudinary}/_standin/upload`, { method: 'POST' })
  await printed.waitFor(/INFO: worker: event processed/)
  const [, activity, user, password] = await printed.waitFor(
    /activity {4}(http:\S+); user name (\S+), password (\S+)/
  )
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  t.equal((await fetch(activity!, { headers: { authorization } })).status, 200)
  // from the terminal, and forwarded by npm
  child.kill('SIGINT')
  child.kill('SIGINT')
  t.strictSame(await ended, [0, null])
  t.notOk(existsSync(file!))
})

t.test('exits with its roles when npm is killed', async () => {
  // a shell as npm runs it, whose parent plays npm
  const npm = spawn('sh', ['-c', 'sh -c "$NODE dev/start.ts; true" & echo $!; wait'], {
    env: {
      ...process.env,
      ...LOCAL,
      NODE: process.execPath,
      npm_lifecycle_event: 'start',
      CLOUDINARY_URL: 'cloudinary://k:s@mine',
      PORT: '0'
    },
    stdio
  })
  const printed = new Output()
  npm.stdout.on('data', (chunk) => printed.add(String(chunk)))
  const [, shell] = await printed.waitFor(/^(\d+)$/m)
  const [, file] = await printed.waitFor(/--env-file=(\S+) app\/main\.ts doctor/)
  const [started] = await children(Number(shell))
  const roles = await children(started!)
  t.equal(roles.length, 3)
  npm.kill('SIGKILL')
  await exited(started!, ...roles)
  t.notOk(existsSync(file!))
})

async function children(pid: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('pgrep', ['-P', String(pid)])
  return stdout.trim().split('\n').map(Number)
}
