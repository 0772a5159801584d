import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { parseEnv, promisify } from 'node:util'
import t, { type Test } from 'tap'
import { Output } from '../support/output.ts'

/** `npm start` as a user runs it; `said` resolves when it has printed this. */
function start(t: Test, args: string[], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['dev/start.ts', ...args], {
    env: {
      ...process.env,
      CLOUDINARY_URL: '',
      QUEUE_URL: '',
      JOURNAL_TABLE: '',
      PORT: '',
      POLL_CHANNEL: '',
      ...environment
    },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const printed = new Output()
  child.stdout.on('data', (chunk) => printed.add(String(chunk)))
  child.once('close', () => printed.end())
  const ended = once(child, 'close').then(([code]) => code as number)
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return {
    child,
    ended,
    output: () => printed.text,
    said: (what: RegExp) => printed.said(what)
  }
}

t.test('--help says what it does', async (t) => {
  const { ended, output } = start(t, ['--help'])
  t.equal(await ended, 0)
  t.match(output(), 'Usage: npm start')
})

t.test('it prints the journey of one upload, stays up, logs what comes, and stops', async (t) => {
  const { child, ended, output, said } = start(t, [])
  await said(/Press Ctrl-C to stop/)
  t.match(output(), /0 ms {2}uploaded/)
  t.match(output(), /ms {2}acknowledged {2}upload/)
  t.match(output(), /ms {2}processed {5}upload: hello-world-tag: tagged "Hello World!"/)
  t.match(output(), /The asset now: tags \["Hello World!"\]/)
  t.match(output(), /our own changes that came back and changed nothing further: 2\. No loop/)

  const [, file] = await said(/--env-file=(\S+) app\/main\.ts doctor/)
  t.match(parseEnv(readFileSync(file!, 'utf8')), { JOURNAL_TABLE: /./, CLOUDINARY_URL: /^cloudinary:/ })
  const [, cloudinary] = await said(/Cloudinary {2}(http:\S+)/)
  await fetch(`${cloudinary}/_standin/upload`, { method: 'POST' })
  await said(/INFO: worker: event processed/)
  child.kill('SIGINT')
  child.kill('SIGINT')
  t.equal(await ended, 0)
  t.notOk(existsSync(file!))
})

const children = async (pid: number): Promise<number[]> => {
  const { stdout } = await promisify(execFile)('pgrep', ['-P', String(pid)])
  return stdout.trim().split('\n').map(Number)
}

/** Resolves when none of the processes is there any longer. */
async function gone(pids: readonly number[]): Promise<void> {
  const isAlive = (pid: number) => {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }
  while (pids.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 10))
}

t.test('when it is killed, or its terminal is closed, web and worker end at once', async (t) => {
  for (const [signal, code] of [
    ['SIGKILL', null],
    ['SIGHUP', 129]
  ] as const) {
    const { child, ended, said } = start(t, [], { CLOUDINARY_URL: 'cloudinary://key:secret@mine', PORT: '0' })
    await said(/Press Ctrl-C to stop/)
    const [, file] = await said(/--env-file=(\S+) app\/main\.ts doctor/)
    const pids = await children(child.pid!)
    t.equal(pids.length, 2)
    child.kill(signal)
    t.equal(await ended, code)
    await gone(pids)
    if (signal === 'SIGHUP') t.notOk(existsSync(file!))
    else rmSync(file!)
  }
})

t.test('when nobody reads what it prints, or npm is gone, it ends', async (t) => {
  const piped = start(t, [], { CLOUDINARY_URL: 'cloudinary://key:secret@mine', PORT: '0' })
  piped.child.stdout.destroy()
  t.equal(await piped.ended, 129)
  // a shell as npm runs it, whose parent plays npm
  const npm = spawn('sh', ['-c', 'sh -c "$NODE dev/start.ts; true" & echo $!; wait'], {
    env: {
      ...process.env,
      NODE: process.execPath,
      npm_lifecycle_event: 'start',
      CLOUDINARY_URL: 'cloudinary://k:s@mine',
      PORT: '0'
    },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const printed = new Output()
  npm.stdout.on('data', (chunk) => printed.add(String(chunk)))
  const [, shell] = await printed.said(/^(\d+)$/m)
  await printed.said(/Press Ctrl-C to stop/)
  const [started] = await children(Number(shell))
  const roles = await children(started!)
  npm.kill('SIGKILL')
  await gone([started!, ...roles])
  t.pass('all have ended')
})

t.test('a second Ctrl-C ends it at once', async (t) => {
  const directory = t.testdir({
    'config.mjs': `const handle = () => { console.log('in hand'); return new Promise(() => {}) }
      export default { processors: [{ name: 'stuck', on: ['upload'], handle }] }`
  })
  const { child, ended, said } = start(t, [], { LISTENER_CONFIG: `${directory}/config.mjs` })
  await said(/worker: in hand/)
  const pids = await children(child.pid!)
  child.kill('SIGINT')
  await said(/Press Ctrl-C again to end it at once/)
  const again = setInterval(() => child.kill('SIGINT'), 100)
  t.equal(await ended, 130)
  clearInterval(again)
  await gone(pids)
})
