import { once } from 'node:events'
import t from 'tap'
import { startDynamoDb } from '../../../dev/dynamodb.ts'
import { startSqs } from '../../../dev/sqs.ts'
import type { LogLine } from '../../../dev/start/child.ts'
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

t.test('it fails when a role ends before it is ready, and the role says why', async (t) => {
  for (const [LISTENER_CONFIG, PORT, why] of [
    ['nonsense', 'abc', /^PORT is "abc"/],
    ['./nowhere.ts', '0', /^\.\/nowhere\.ts cannot be loaded/]
  ] as const) {
    const lines: LogLine[] = []
    const environment = { ...CHILD_ENVIRONMENT, PORT, LISTENER_CONFIG }
    await t.rejects(startSystem({ environment, onLine: (line) => lines.push(line) }), {
      message: /^(web|worker) has ended \(exit code 1\)/
    })
    t.ok(lines.some(({ msg }) => why.test(String(msg))))
  }
})
