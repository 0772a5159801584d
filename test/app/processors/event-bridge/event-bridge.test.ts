import t from 'tap'
import { readConfig } from '../../../../app/config.ts'
import { type EventBridgeOptions, eventBridge, type ProcessorContext } from '../../../../app/listener.ts'
import { eventOf, QUIET } from '../../../support/operator.ts'
import { type Answer, buildReceiver } from '../../../support/receiver.ts'

const signal = new AbortController().signal
const json = (body: object): Answer => ({ status: 200, body: JSON.stringify(body) })
const receiver = await buildReceiver(t, json({ Entries: [{ EventId: 'of-the-bus' }], Name: 'assets' }))
Object.assign(process.env, {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_PROFILE: '',
  AWS_ENDPOINT_URL_EVENTBRIDGE: receiver.url
})
const config = readConfig([], { EVENT_BUS: 'assets' })

t.test('handles all events, needs a bus and a package', async (t) => {
  t.match(eventBridge(), {
    name: 'event-bridge',
    on: ['*'],
    ownChanges: false,
    requires: ['EVENT_BUS'],
    packages: ['@aws-sdk/client-eventbridge']
  })
  t.match(eventBridge({ bus: 'default', name: 'second', on: ['upload'], ownChanges: true }), {
    name: 'second',
    on: ['upload'],
    ownChanges: true,
    requires: undefined
  })
})

t.test('sends each event as CloudEvent', async (t) => {
  for (const options of [{}, { bus: 'assets', source: 'media' }]) {
    const processor = eventBridge(options)
    await processor.start?.({ config, log: QUIET })
    const note = await processor.handle(eventOf('a'), { config, signal } as ProcessorContext)
    t.equal(note, 'sent to event bus assets: com.cloudinary.upload, event of-the-bus')
    processor.stop?.()
  }
  const [first, second] = receiver.requests.map(({ body }) => JSON.parse(body).Entries[0])
  t.match(first, { EventBusName: 'assets', Source: 'cloudinary', DetailType: 'com.cloudinary.upload' })
  t.match(JSON.parse(first.Detail), { specversion: '1.0', id: 'a', subject: 'image/upload/asset-of-a' })
  t.match(second, { Source: 'media' })
})

t.test('checks the bus', async (t) => {
  const check = (options: EventBridgeOptions) => eventBridge(options).check?.({ config, log: QUIET, signal })
  t.match(await check({}), [{ level: 'ok', message: 'event bus assets exists' }])
  t.match(await check({ bus: 'other' }), [{ level: 'ok', message: 'event bus other exists' }])
})

t.test('accepts a stop before the start, and rejects invalid options', async (t) => {
  t.doesNotThrow(() => eventBridge().stop?.())
  const refused = (options: object, message: RegExp) =>
    t.throws(() => eventBridge(options), { code: 'LISTENER_CONFIG_INVALID', message })
  refused({ bus: 'my bus' }, /^eventBridge: bus: must be the name or ARN/)
  refused({ source: 'aws.s3' }, /^eventBridge: source: /)
  refused({ on: ['uploads'] }, /^eventBridge: on\.0: /)
  refused({ target: 'x' }, /^eventBridge: options: /)
})
