import t from 'tap'
import { readConfig } from '../../../app/config.ts'
import { startStandIns } from '../../../dev/stand-ins.ts'
import {
  provideBucket,
  provideEventBus,
  provideForwardSecret,
  provideTopic
} from '../../../dev/start/provide-outbound.ts'

const standIns = await startStandIns()
t.teardown(() => standIns.stop())
const context = { processors: [], environment: {}, own: {}, standIns, migrate: async () => {} }
const addressIn = (hints: readonly string[]) => /curl (\S+)/.exec(hints.join('\n'))?.[1] ?? ''

t.test('provides a valid secret, and hints at the requests received', async (t) => {
  const { environment, hints, stop } = await provideForwardSecret(context)
  t.strictSame(Object.keys(environment), ['FORWARD_SECRET'])
  t.ok(readConfig(['FORWARD_SECRET'], environment))
  t.strictSame(await (await fetch(addressIn(hints))).json(), [])
  await stop()
})

t.test('provides the embedded topic, and hints at its messages', async (t) => {
  const { environment, hints, stop } = await provideTopic(context)
  t.strictSame(environment, {
    NOTIFY_TOPIC_ARN: standIns.sqs.topicArn,
    AWS_ENDPOINT_URL_SNS: standIns.sqs.url
  })
  t.ok(readConfig(['NOTIFY_TOPIC_ARN'], environment))
  standIns.sqs.server.publish('cloudinary-uploads', 'hello')
  t.match(await (await fetch(addressIn(hints))).json(), [{ text: 'hello' }])
  await stop()
})

t.test('provides the embedded bucket, and hints at its objects', async (t) => {
  const { environment, hints, stop } = await provideBucket(context)
  t.strictSame(environment, { ARCHIVE_BUCKET: standIns.sqs.bucket, AWS_ENDPOINT_URL_S3: standIns.sqs.url })
  t.ok(readConfig(['ARCHIVE_BUCKET'], environment))
  const list = await fetch(addressIn(hints).replace(/;$/, ''))
  t.match([list.status, await list.text()], [200, 'ListBucketResult'])
  await stop()
})

t.test('provides the embedded event bus, and hints at its events', async (t) => {
  const { environment, hints, stop } = await provideEventBus(context)
  t.strictSame(environment, {
    EVENT_BUS: standIns.environment.EVENT_BUS,
    AWS_ENDPOINT_URL_EVENTBRIDGE: standIns.environment.AWS_ENDPOINT_URL_EVENTBRIDGE
  })
  t.ok(readConfig(['EVENT_BUS'], environment))
  t.strictSame(await (await fetch(addressIn(hints))).json(), [])
  await stop()
})
