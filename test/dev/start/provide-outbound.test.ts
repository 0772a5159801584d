import t from 'tap'
import { readConfig } from '../../../app/config.ts'
import { startStandIns } from '../../../dev/stand-ins.ts'
import { provideForwardSecret, provideTopic } from '../../../dev/start/provide-outbound.ts'

const standIns = await startStandIns()
t.teardown(() => standIns.stop())
const situation = { processors: [], environment: {}, standIns, migrate: async () => {} }
const addressIn = (hints: readonly string[]) => /curl (\S+)/.exec(hints.join('\n'))?.[1] ?? ''

t.test('the secret is one that the listener takes, and the hints lead to what comes', async (t) => {
  const { environment, hints, stop } = await provideForwardSecret(situation)
  t.strictSame(Object.keys(environment), ['FORWARD_SECRET'])
  t.ok(readConfig(['FORWARD_SECRET'], environment))
  t.strictSame(await (await fetch(addressIn(hints))).json(), [])
  await stop()
})

t.test('the topic is the embedded one, and the hints lead to what is published', async (t) => {
  const { environment, hints, stop } = await provideTopic(situation)
  t.strictSame(environment, {
    NOTIFY_TOPIC_ARN: standIns.sqs.topicArn,
    AWS_ENDPOINT_URL_SNS: standIns.sqs.url
  })
  t.ok(readConfig(['NOTIFY_TOPIC_ARN'], environment))
  standIns.sqs.server.publish('cloudinary-uploads', 'hello')
  t.match(await (await fetch(addressIn(hints))).json(), [{ text: 'hello' }])
  await stop()
})
