import t from 'tap'
import type { LogLine } from '../../../dev/start/child.ts'
import { startSystem } from '../../../dev/start/system.ts'

t.test('it starts what is missing of the outside, and the roles, and comes to rest', async (t) => {
  const lines: LogLine[] = []
  const system = await startSystem({
    environment: { PATH: process.env.PATH, PORT: '0' },
    onLine: (line) => lines.push(line),
    workers: 2,
    retryScale: 0.01
  })
  t.teardown(() => system.stop())
  t.equal(system.workers.length, 2)
  system.cloudinary?.as().upload({ publicId: 'one', resourceType: 'image' })
  await system.atRest()
  t.strictSame(system.cloudinary?.assets.find('one')?.tags, ['Hello World!'])

  process.kill(Number(system.workers[0]?.pid), 'SIGKILL')
  while (lines.filter(({ msg }) => msg === 'worker is ready').length < 3) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.match(
    lines.find(({ msg }) => msg === 'worker has ended; starting it again'),
    { signal: 'SIGKILL' }
  )
})

t.test('a Cloudinary and a queue of your own are used instead', async (t) => {
  const system = await startSystem({
    environment: {
      PATH: process.env.PATH,
      PORT: '0',
      CLOUDINARY_URL: 'cloudinary://key:secret@mine',
      QUEUE_URL: 'http://127.0.0.1:9/0/q.fifo',
      AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:9',
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'a',
      AWS_SECRET_ACCESS_KEY: 'b'
    },
    onLine: () => {}
  })
  t.teardown(() => system.stop())
  t.equal(system.cloudinary, undefined)
  t.equal(system.sqs, undefined)
})

t.test('it fails when a role ends before it is ready', async (t) => {
  const lines: LogLine[] = []
  await t.rejects(
    startSystem({ environment: { PATH: process.env.PATH, PORT: 'abc' }, onLine: (line) => lines.push(line) }),
    { message: /^(web|worker) has ended \(exit code 1\)/ }
  )
  t.ok(lines.some(({ msg }) => /^PORT is "abc"/.test(String(msg))))
})
