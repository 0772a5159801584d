import { mock } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { helloWorldTag } from '../../../app/listener.ts'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { sampleNotification } from '../../../app/testing/samples.ts'
import { signatureHeaders } from '../../../app/testing/sign.ts'
import { startSqs } from '../../../dev/embedded-sqs.ts'
import { startSecretsManager } from '../../../dev/secrets-manager.ts'
import { runHere } from '../../support/commands.ts'
import { buildListener } from '../../support/listener.ts'
import { freePort } from '../../support/system.ts'

t.test('processes notifications from a poll channel like those by HTTP', async (t) => {
  // offset of Cloudinary's clock, to expire visibility timeouts
  let ahead = 0
  const { cloudinary, sqs, lines, atRest, stopPoll } = await buildListener(t, [helloWorldTag()], {
    environment: { POLL_CHANNEL: 'orders' },
    sqsPort: await freePort(),
    cloudinary: { clock: () => Date.now() + ahead }
  })
  cloudinary.setNotificationUrl(undefined)
  const { channels } = cloudinary.cloud()
  const happens = async (condition: () => boolean) => {
    while (!condition()) await pause(10)
  }
  const told = (msg: string) => lines.filter((line) => line.role === 'poll' && line.msg === msg)
  const acknowledged = async () => {
    // changes are in the channel once Cloudinary is idle
    await cloudinary.idle()
    await happens(() => channels.size('orders') === 0)
  }
  const push = (body: Buffer, signed = body) => {
    const headers = signatureHeaders(signed, LOCAL_CLOUDINARY, Math.floor(Date.now() / 1000))
    const [signature, timestamp] = [headers['x-cld-signature'], headers['x-cld-timestamp']]
    channels.push('orders', { body, signature, timestamp })
  }

  t.equal((await runHere('setup', '--poll', 'orders')).exitCode, 0)
  cloudinary.as().upload({ publicId: 'bag' })
  await acknowledged()
  await atRest()
  t.strictSame(cloudinary.assets.find('bag')?.tags, ['Hello World!'])
  // `setup` caused a test notification as well
  const accepted = told('notification accepted').find(({ type }) => type === 'upload')
  t.match(accepted, {
    cloudName: 'demo',
    channel: 'orders',
    type: 'upload',
    events: 1
  })
  const { traceId } = accepted!
  t.match(traceId, /^Poll=/)
  const followed = lines.filter((line) => line.traceId === traceId).map(({ role, msg }) => [role, msg])
  t.strictSame(followed, [
    ['poll', 'notification accepted'],
    ['worker', 'event processed']
  ])
  t.notOk(lines.some(({ role, msg }) => role === 'web' && msg === 'notification accepted'))

  // delivered again
  const first = cloudinary.deliveries.find(({ body }) => JSON.parse(body).notification_type === 'upload')
  push(Buffer.from(first!.body))
  await acknowledged()
  await atRest()
  const processed = lines.filter(({ msg, type }) => msg === 'event processed' && type === 'upload')
  t.equal(processed.length, 1)

  // tampered with
  const genuine = Buffer.from(JSON.stringify(sampleNotification('upload')))
  push(Buffer.from(String(genuine).replace('upload', 'delete')), genuine)
  await happens(() => told('notification refused; left in channel').length > 0)
  t.match(told('notification refused; left in channel'), [{ code: 'SIGNATURE_INVALID' }])
  t.equal(channels.size('orders'), 1)

  // while the queue is gone
  await sqs.stop()
  const before = told('notification accepted').length
  cloudinary.as().upload({ publicId: 'shoe' })
  await happens(() => told('notification not stored; left in channel').length > 0)
  t.equal(channels.size('orders'), 2)
  const back = await startSqs({ port: Number(new URL(sqs.url).port) })
  t.teardown(() => back.stop())
  ahead += 61_000
  cloudinary.as().upload({ publicId: 'hat' })
  await happens(() => told('notification accepted').length >= before + 2)
  const tagged = (publicId: string) => cloudinary.assets.find(publicId)?.tags.includes('Hello World!')
  await happens(() => Boolean(tagged('shoe') && tagged('hat')))

  await stopPoll()
  cloudinary.as().upload({ publicId: 'coat' })
  await cloudinary.idle()
  t.ok(channels.size('orders') >= 2, 'the tampered notification, and the one after poll stopped')
})

t.test('polls a cloud that is added to the secret after the next refresh', async (t) => {
  // the test triggers the periodic refresh itself
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => mock.timers.reset())
  const secrets = await startSecretsManager()
  t.teardown(() => secrets.stop())
  const other = { cloudName: 'other', apiKey: '5', apiSecret: 'another-secret' }
  const { cloudinary, logged } = await buildListener(
    t,
    ({ cloudinary }) => {
      secrets.set('cloudinary', 'AWSCURRENT', cloudinary.cloudinaryUrl())
      return [helloWorldTag()]
    },
    {
      environment: {
        POLL_CHANNEL: 'orders',
        CLOUDINARY_URL: '',
        CLOUDINARY_SECRET_ID: 'cloudinary',
        AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url
      },
      cloudinary: { environments: [LOCAL_CLOUDINARY, other] }
    }
  )
  cloudinary.setNotificationUrl(undefined)
  const { triggers } = cloudinary.cloud('other')
  triggers.create({ uri: 'poll://orders', uri_type: 'poll', event_type: 'upload' }, 0)
  cloudinary.as('77', 'other').upload({ publicId: 'bag' })
  const urls = ['demo', 'other'].map((cloudName) => [cloudName, cloudinary.cloudinaryUrl(cloudName)])
  secrets.rotate('cloudinary', JSON.stringify(Object.fromEntries(urls)))
  mock.timers.tick(300_000)
  t.match(await logged(({ role, msg }) => role === 'poll' && msg === 'notification accepted'), {
    cloudName: 'other',
    type: 'upload'
  })
})
