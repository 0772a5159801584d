import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { parseEnv, promisify } from 'node:util'
import t, { type Test } from 'tap'
import { startCloudinary } from '../../dev/cloudinary/server.ts'
import { LOCAL_CLOUDINARY } from '../../dev/defaults.ts'

// many processes, one after the other, on a machine that may be busy
t.setTimeout(180_000)

/** `npm start` as a user runs it; `said` resolves when it has printed this. */
function start(t: Test, args: string[], environment: Record<string, string> = {}) {
  const child: ChildProcess = spawn(process.execPath, ['dev/start.ts', ...args], {
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
  let output = ''
  let wake = () => {}
  child.stdout?.on('data', (chunk) => {
    output += String(chunk)
    wake()
  })
  const ended = once(child, 'close').then(([code]) => code as number)
  t.teardown(async () => {
    child.kill('SIGTERM')
    await ended
  })
  return {
    child,
    ended,
    output: () => output,
    said: async (what: RegExp) => {
      for (let match = what.exec(output); ; match = what.exec(output)) {
        if (match) return match
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  }
}

t.test('--help says what it does', async (t) => {
  const { ended, output } = start(t, ['--help'])
  t.equal(await ended, 0)
  t.match(output(), 'Usage: npm start')
})

t.test('it prints the journey of one upload, stays up, logs what comes, and stops', async (t) => {
  const { child, ended, output, said } = start(t, [], { METRICS_NAMESPACE: 'Cloudinary/Listener' })
  await said(/Press Ctrl-C to stop/)
  t.match(output(), /0 ms {2}uploaded/)
  t.match(output(), /ms {2}acknowledged {2}upload/)
  t.match(output(), /ms {2}processed {5}upload: hello-world-tag: tagged "Hello World!"/)
  t.match(output(), /The asset now: tags \["Hello World!"\]/)
  t.match(output(), /2 notifications of our own changes came back and changed nothing further/)

  const [, file] = await said(/--env-file=(\S+) app\/main\.ts doctor/)
  t.match(parseEnv(readFileSync(file!, 'utf8')), { JOURNAL_TABLE: /./, CLOUDINARY_URL: /^cloudinary:/ })
  const [, cloudinary] = await said(/Cloudinary {2}(http:\S+)/)
  await fetch(`${cloudinary}/_standin/upload`, { method: 'POST' })
  await said(/INFO: worker: event processed/)
  child.kill('SIGINT')
  child.kill('SIGINT')
  t.equal(await ended, 0)
  t.notOk(existsSync(file!))
  t.notMatch(output(), 'undefined', 'metrics are no lines for people')
})

t.test(
  'a database that a processor requires and nobody has is embedded, and can be looked into',
  async (t) => {
    const directory = t.testdir({
      'listener.config.ts': `
      import { databaseSync, defineListener } from '${process.cwd()}/app/listener.ts'
      export default defineListener({ processors: [databaseSync()] })`
    })
    const { output, said } = start(t, [], {
      LISTENER_CONFIG: `${directory}/listener.config.ts`,
      DATABASE_URL: ''
    })
    const [, args] = await said(/npm run sql -- (--url \S+ "SELECT \* FROM cloudinary_assets")/)
    t.match(output(), /processed {5}upload: database-sync: row inserted/)
    const { stdout } = await promisify(execFile)('sh', ['-c', `"$NODE" dev/sql.ts ${args}`], {
      env: { ...process.env, NODE: process.execPath }
    })
    t.match(JSON.parse(stdout), { public_id: 'hello/first-upload', environment: 'demo' })
  }
)

t.test('a Cloudinary of your own is not uploaded to; a port that is taken is not fought for', async (t) => {
  const usual = createServer().listen(8080, '127.0.0.1')
  // taken by this or, where it is in use already, by somebody else
  await Promise.race([once(usual, 'listening'), once(usual, 'error')])
  t.teardown(() => usual.close())
  const { output, said } = start(t, [], { CLOUDINARY_URL: 'cloudinary://key:secret@mine', USER: 'Ann E.' })
  const [, port] = await said(/webhook {5}http:\/\/127.0.0.1:(\d+)/)
  t.not(port, '8080')
  await said(/nothing was uploaded to it/)
  await said(/app\/main\.ts setup --poll dev-AnnE\.\n {2}POLL_CHANNEL=dev-AnnE\. npm start/)
  t.notMatch(output(), /journey/)
})

t.test('with a poll channel, what is in it is fetched and processed', async (t) => {
  const cloudinary = await startCloudinary({ environments: [LOCAL_CLOUDINARY] })
  t.teardown(() => cloudinary.stop())
  cloudinary.cloud().triggers.create({ uri: 'poll://mine', event_type: 'all', uri_type: 'poll' }, 0)
  cloudinary.cloud().metadataFields.create({
    external_id: 'last_update_timestamp',
    label: 'Last update',
    type: 'string'
  })
  const { said } = start(t, [], {
    CLOUDINARY_URL: cloudinary.cloudinaryUrl(),
    POLL_CHANNEL: 'mine',
    USER: ''
  })
  await said(/fetched from the poll channel mine/)
  cloudinary.as().upload({ publicId: 'bag' })
  await said(/INFO: poll: notification accepted/)
  await said(/INFO: worker: event processed .*hello-world-tag/)
})

t.test('what is wrong is said, and it ends with exit code 1', async (t) => {
  const { ended, output } = start(t, [], { PORT: 'abc' })
  t.equal(await ended, 1)
  t.match(output(), /PORT is "abc"; it must be/)
  t.match(output(), /Not started/)
})
