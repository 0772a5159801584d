import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import t from 'tap'
import { startDynamoDb } from '../../../dev/embedded-dynamodb.ts'
import { startSqs } from '../../../dev/embedded-sqs.ts'
import type { LogLine } from '../../../dev/start/role-process.ts'
import { startSystem } from '../../../dev/start/system.ts'
import { CHILD_ENVIRONMENT, freePort } from '../../support/system.ts'

t.test('it starts what is missing of the outside, and the roles, and comes to rest', async (t) => {
  const lines: LogLine[] = []
  let wake = () => {}
  const PORT = String(await freePort())
  const system = await startSystem({
    environment: { ...CHILD_ENVIRONMENT, PORT, POLL_CHANNEL: 'orders' },
    onLine: (line) => {
      lines.push(line)
      wake()
    },
    workers: 2,
    retryScale: 0.01
  })
  t.teardown(() => system.stop())
  t.equal(system.workers.length, 2)
  t.ok(lines.some(({ msg }) => msg === 'poll is ready'))
  t.match(system.embedded, {
    CLOUDINARY_URL: /^cloudinary:/,
    QUEUE_URL: /^http:/,
    WEBHOOK_URL: `http://127.0.0.1:${PORT}/webhooks/cloudinary`
  })
  system.cloudinary?.as().upload({ publicId: 'one', resourceType: 'image' })
  await system.atRest()
  t.strictSame(system.cloudinary?.assets.find('one')?.tags, ['Hello World!'])

  process.kill(Number(system.workers[0]?.pid), 'SIGKILL')
  while (lines.filter(({ msg }) => msg === 'worker is ready').length < 3) {
    await new Promise<void>((resolve) => {
      wake = resolve
    })
  }
  t.match(
    lines.find(({ msg }) => msg === 'worker has ended; starting it again'),
    { signal: 'SIGKILL' }
  )
})

t.test('a Cloudinary, queues and a journal of your own are used instead', async (t) => {
  const system = await startSystem({
    environment: {
      ...CHILD_ENVIRONMENT,
      PORT: '0',
      CLOUDINARY_URL: 'cloudinary://key:secret@mine',
      QUEUE_URL: 'http://127.0.0.1:9/0/q.fifo',
      DEAD_LETTER_QUEUE_URL: 'http://127.0.0.1:9/0/d.fifo',
      JOURNAL_TABLE: 'mine',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'a',
      AWS_SECRET_ACCESS_KEY: 'b'
    },
    onLine: () => {}
  })
  t.teardown(() => system.stop())
  t.equal(system.cloudinary, undefined)
  t.equal(system.sqs, undefined)
  t.equal(system.dynamoDb, undefined)
  t.strictSame(system.embedded, {})
})

t.test(
  'where either the queues or the journal are your own, the other is embedded, and you are you',
  async (t) => {
    const AWS = { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'me', AWS_SECRET_ACCESS_KEY: 'mine' }
    const sqs = await startSqs()
    const dynamoDb = await startDynamoDb()
    // as AWS would refuse who it does not know
    dynamoDb.server.prependListener('request', ({ headers }) => {
      if (!headers.authorization?.includes('Credential=me/')) dynamoDb.server.closeAllConnections()
    })
    t.teardown(() => Promise.all([sqs.stop(), dynamoDb.stop()]))
    const own = [
      {
        QUEUE_URL: sqs.queueUrl,
        DEAD_LETTER_QUEUE_URL: sqs.deadLetterQueueUrl,
        AWS_ENDPOINT_URL_SQS: sqs.url
      },
      { JOURNAL_TABLE: dynamoDb.tableName, AWS_ENDPOINT_URL_DYNAMODB: dynamoDb.url }
    ]
    for (const environment of own) {
      const system = await startSystem({
        environment: { ...CHILD_ENVIRONMENT, PORT: '0', ...AWS, ...environment },
        onLine: () => {}
      })
      t.teardown(() => system.stop())
      t.equal(system.sqs === undefined, 'QUEUE_URL' in environment)
      t.equal(system.dynamoDb === undefined, 'JOURNAL_TABLE' in environment)
      system.cloudinary?.as().upload({ publicId: 'one', resourceType: 'image' })
      await system.cloudinary?.called(({ action }) => action === 'tags')
      await system.stop()
    }
  }
)

t.test(
  'what processors require is provided, at an address that a configuration can name; something can be put between',
  async (t) => {
    const other = await startDynamoDb()
    const journaled = once(other.server, 'request')
    t.teardown(() => other.stop())
    const cloudinaryPort = await freePort()
    const received = `http://127.0.0.1:${cloudinaryPort}/_standin/received`
    const directory = t.testdir({
      'listener.config.js': `
      import { defineListener, forward, notify } from ${JSON.stringify(import.meta.resolve('../../../app/listener.ts'))}
      export default defineListener({
        processors: [forward({ url: '${received}', fields: ['public_id'] }), notify({ text: '{public_id} came' })]
      })`
    })
    const system = await startSystem({
      environment: { ...CHILD_ENVIRONMENT, PORT: '0', LISTENER_CONFIG: `${directory}/listener.config.js` },
      onLine: () => {},
      cloudinaryPort,
      reroute: async (environment) => ({ ...environment, AWS_ENDPOINT_URL_DYNAMODB: other.url })
    })
    t.teardown(() => system.stop())
    t.match(system.hints.join('\n'), `curl ${received}`)
    system.cloudinary?.as().upload({ publicId: 'one' })
    await journaled
    await system.atRest()
    const shown = async (what: string) => (await fetch(`${system.cloudinary?.url}/_standin/${what}`)).json()
    t.match(await shown('received'), [{ verified: true, body: { data: { public_id: 'one' } } }])
    t.match(await shown('messages'), [{ text: 'one came' }])
  }
)

t.test('what is not valid is said before anything is started', async (t) => {
  for (const [variables, code, why] of [
    [{ PORT: 'abc' }, 'CONFIG_INVALID', /^PORT is "abc"/],
    [{ LISTENER_CONFIG: './nowhere.ts' }, 'LISTENER_CONFIG_INVALID', /^nowhere\.ts: no such file/]
  ] as const) {
    const environment = { ...CHILD_ENVIRONMENT, PORT: '0', ...variables }
    const onLine = (line: LogLine) => t.fail('nothing is logged', line)
    await t.rejects(startSystem({ environment, onLine }), { code, message: why })
  }
})

t.test('it fails when a role ends before it is ready, and the role says why', async (t) => {
  const lines: LogLine[] = []
  const environment = { ...CHILD_ENVIRONMENT, PORT: '0', HOST: '203.0.113.1' }
  await t.rejects(startSystem({ environment, onLine: (line) => lines.push(line) }), {
    message: /^web has ended \(exit code 1\)/
  })
  t.ok(lines.some(({ err }) => (err as { code?: string } | undefined)?.code === 'EADDRNOTAVAIL'))
})

t.test('a reload starts a worker with the file as it is, or keeps the one there is', async (t) => {
  const directory = t.testdir({ 'config.ts': '' })
  const path = `${directory}/config.ts`
  const write = (processor: string) =>
    writeFileSync(path, `export default { processors: [{ name: 'mine', on: ['upload'], ${processor} }] }`)
  const logged: string[] = []
  write("handle: () => 'one'")
  const system = await startSystem({
    environment: { ...CHILD_ENVIRONMENT, PORT: '0', LISTENER_CONFIG: path },
    onLine: ({ note }) => void logged.push(String(note))
  })
  t.teardown(() => system.stop())
  const notesOf = async (publicId: string) => {
    logged.length = 0
    system.cloudinary?.as().upload({ publicId })
    await system.atRest()
    return logged.filter((note) => note !== 'undefined')
  }
  t.ok(system.files.includes(path))
  const before = system.workers[0]?.pid

  for (const [broken, why] of [
    ["handle: () => 'two', }} enum {", /config\.ts:1: syntax error/],
    [
      "handle() {}, requires: ['DATABASE_URL'], migrate() { throw new Error('no such luck') }",
      /no such luck/
    ],
    ["handle() {}, start() { throw new Error('no connection') }", /no connection/]
  ] as const) {
    write(broken)
    const { files, refused } = await system.reload()
    t.match(refused, why)
    t.notMatch(refused, '\n')
    t.ok(files.includes(path))
  }
  t.equal(system.workers[0]?.pid, before)
  t.strictSame(await notesOf('a'), ['one'])

  write("handle: () => process.env.DATABASE_URL, requires: ['DATABASE_URL'], migrate() {}")
  t.equal((await system.reload()).refused, undefined)
  t.not(system.workers[0]?.pid, before)
  t.match(system.hints.join('\n'), 'PostgreSQL')
  t.match(system.embedded, { DATABASE_URL: /^postgres:/ })
  t.match((await notesOf('b')).at(-1), /^postgres:/)
})
