import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { parseEnv, promisify } from 'node:util'
import t, { type Test } from 'tap'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { startCloudinary } from '../../../dev/cloudinary/server.ts'
import { run } from '../../../dev/start/run.ts'
import { Output } from '../../support/output.ts'
import { CHILD_ENVIRONMENT } from '../../support/system.ts'

/** A listener whose one processor fails for ever. */
const failing = (t: Test) => {
  const directory = t.testdir({
    'listener.config.mjs': `
      const handle = () => { throw new Error('the CMS does not answer') }
      export default { processors: [{ name: 'cms', on: ['upload'], handle }] }`
  })
  return { LISTENER_CONFIG: `${directory}/listener.config.mjs` }
}

/** What `npm start` does, in this process; `said` resolves when it has printed this. */
function start(t: Test, environment: Record<string, string> = {}, journeyMs?: number) {
  const interrupted = new AbortController()
  const printed = new Output()
  const ended = run({
    environment: { ...CHILD_ENVIRONMENT, ...environment },
    colors: false,
    print: (text) => printed.add(`${text}\n`),
    until: interrupted.signal,
    journeyMs
  })
  void ended.then(() => printed.end())
  t.teardown(async () => {
    interrupted.abort()
    await ended
  })
  return {
    ended,
    stop: () => interrupted.abort(),
    output: () => printed.text,
    said: (what: RegExp) => printed.said(what)
  }
}

t.test(
  'a database that a processor requires and nobody has is embedded, and can be looked into',
  async (t) => {
    const directory = t.testdir({
      'listener.config.ts': `
      import { databaseSync, defineListener } from '${process.cwd()}/app/listener.ts'
      export default defineListener({ processors: [databaseSync()] })`
    })
    const { output, said } = start(t, { LISTENER_CONFIG: `${directory}/listener.config.ts` })
    const [, args] = await said(/npm run sql -- (--url \S+ "SELECT \* FROM cloudinary_assets")/)
    t.match(output(), /processed {5}upload: database-sync: row inserted/)
    t.match(output(), /changed nothing further: 0\. No loop/)
    const { stdout } = await promisify(execFile)('sh', ['-c', `"$NODE" dev/sql.ts ${args}`], {
      env: { ...CHILD_ENVIRONMENT, NODE: process.execPath }
    })
    t.match(JSON.parse(stdout), { public_id: 'hello/first-upload', environment: 'demo' })
  }
)

t.test(
  'a Cloudinary of your own is not uploaded to; a port that is taken is not fought for; who stops it before it is up waits',
  async (t) => {
    const usual = createServer().listen(8080, '127.0.0.1')
    // taken by this or, where it is in use already, by somebody else
    await Promise.race([once(usual, 'listening'), once(usual, 'error')])
    t.teardown(() => usual.close())
    const { output, ended, stop } = start(t, {
      CLOUDINARY_URL: 'cloudinary://key:secret@mine',
      METRICS_NAMESPACE: 'Cloudinary/Listener'
    })
    stop()
    t.equal(await ended, 0)
    const [, port] = /webhook {5}http:\/\/127.0.0.1:(\d+)/.exec(output()) ?? []
    t.match(port, /^\d+$/)
    t.not(port, '8080')
    t.match(output(), /^Port 8080 is taken.*; web listens on a free port instead\.$/m)
    t.match(output(), /nothing was uploaded to it/)
    t.notMatch(output(), /journey/)
    t.notMatch(output(), 'undefined', 'metrics are no lines for people')
  }
)

t.test('an upload that is not done in time is told so far as it has come, and the log goes on', async (t) => {
  const { ended, output, said, stop } = start(t, failing(t), 2000)
  await said(/Press Ctrl-C to stop/)
  t.match(output(), /ms {2}failed {8}upload: cms: Error: the CMS does not answer; again in \d+ s/)
  t.match(output(), /It is not done after 2 s, and goes on/)
  t.notMatch(output(), /No loop/)
  stop()
  t.equal(await ended, 0)
  t.match(output(), /INFO: worker: stopped/)
})

t.test('it can be stopped while an upload is under way', async (t) => {
  const { ended, output, said, stop } = start(t, failing(t))
  await said(/event failed; will be retried/)
  stop()
  t.equal(await ended, 0)
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
  const { said } = start(t, { CLOUDINARY_URL: cloudinary.cloudinaryUrl(), POLL_CHANNEL: 'mine' })
  await said(/fetched from the poll channel mine/)
  cloudinary.as().upload({ publicId: 'bag' })
  await said(/INFO: poll: notification accepted/)
  await said(/INFO: worker: event processed .*hello-world-tag/)
})

t.test('what is wrong is said once, without a stack, and it ends with exit code 1', async (t) => {
  const { ended, output } = start(t, { PORT: 'abc' })
  t.equal(await ended, 1)
  t.match(output(), /^Not started\. .*\n\n {2}PORT is "abc"; it must be/m)
  t.equal(output().split('PORT is').length, 2)

  const directory = t.testdir({ 'config.ts': '\nenum Color { Red }' })
  const broken = { LISTENER_CONFIG: `${directory}/config.ts` }
  for (const LOG_LEVEL of ['info', 'debug']) {
    const { ended, output } = start(t, { ...broken, LOG_LEVEL })
    t.equal(await ended, 1)
    t.match(output(), /^Not started\. .*\n\n {2}\S*config\.ts:2: .*enum.*; write `const Color/m)
    t.equal(output().includes('ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'), LOG_LEVEL === 'debug', LOG_LEVEL)
  }
})

t.test('what web and worker both find wrong is said once', async (t) => {
  const { ended, output } = start(t, { CLOUDINARY_URL: 'cloudinary://key@cloud' })
  t.equal(await ended, 1)
  t.match(output(), /API secret is missing/)
  t.equal(output().split('API secret is missing').length, 2)
  t.match(output(), /^Not started: (?:web|worker) has ended .*The lines above say why/m)
})

t.test('a port that was asked for and is taken ends it, and it is said what holds it', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const { ended, output } = start(t, { PORT: String(port) })
  t.equal(await ended, 1)
  t.match(output(), new RegExp(`PORT is ${port}, but port ${port} is taken`))
})

t.test(
  'an edit restarts the worker; one that is broken does not; a log line may hold any character',
  async (t) => {
    const directory = t.testdir({ 'note.ts': "console.log('loaded')\nexport const note = 'first'" })
    const path = `${directory}/config.ts`
    const write = (more = '') =>
      writeFileSync(
        path,
        `import { note } from './note.ts'
       export default { processors: [{ name: 'mine', on: ['upload'], handle: () => note ${more} }] }`
      )
    write()
    const { output, said } = start(t, { LISTENER_CONFIG: path, PORT: '0' })
    await said(/processed {5}upload: mine: first/)
    t.match(output(), /^worker: loaded$/m, 'what is not of the logger is shown as it is')
    const [, cloudinary] = await said(/Cloudinary {2}(http:\S+)/)
    const upload = (public_id: string) =>
      fetch(`${cloudinary}/_standin/upload`, { method: 'POST', body: new URLSearchParams({ public_id }) })

    write(', }} enum {')
    await said(/^Not restarted, the worker of before runs on: \S*config\.ts:2: syntax error/m)
    await upload('x\u2028y')
    await said(/INFO: worker: event processed .*"asset":"x\u2028y".*"note":"first"/)

    write(", requires: ['NOTIFY_TOPIC_ARN']")
    await said(/^The worker is restarted\./m)
    await said(/SNS {9}a topic \(embedded\)/)
    writeFileSync(`${directory}/note.ts`, "export const note = 'second'")
    await said(/note\.ts changed; restarting the worker …\n[\s\S]*^The worker is restarted\./m)
    await upload('again')
    await said(/event processed .*"asset":"again".*"note":"second"/)
    const [, file] = await said(/--env-file=(\S+) app\/main\.ts doctor/)
    t.match(parseEnv(readFileSync(file!, 'utf8')), { NOTIFY_TOPIC_ARN: /^arn:/ })
    t.notMatch(output(), 'worker has ended')
  }
)
