import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import t, { type Test } from 'tap'
import { Output } from '../support/output.ts'

/** `npm start` as a user runs it; `said` resolves when it has printed this. */
function start(t: Test, args: string[]) {
  const child = spawn(process.execPath, ['dev/start.ts', ...args], {
    env: {
      ...process.env,
      CLOUDINARY_URL: '',
      QUEUE_URL: '',
      JOURNAL_TABLE: '',
      PORT: '',
      POLL_CHANNEL: ''
    },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const printed = new Output()
  child.stdout.on('data', (chunk) => printed.add(String(chunk)))
  child.once('close', () => printed.end())
  const ended = once(child, 'close').then(([code]) => code as number)
  t.teardown(async () => {
    child.kill('SIGTERM')
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
