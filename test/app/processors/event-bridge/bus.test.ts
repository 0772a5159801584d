import fastify from 'fastify'
import t, { type Test } from 'tap'
import { Bus } from '../../../../app/processors/event-bridge/bus.ts'
import { EVENT_BUS_NAME, eventBusApi } from '../../../../dev/event-bus.ts'
import { type Answer, buildReceiver } from '../../../support/receiver.ts'

const SIGNAL = new AbortController().signal
const EVENT = {
  source: 'cloudinary',
  detailType: 'com.cloudinary.upload',
  detail: '{"id":"a"}',
  time: new Date('2026-06-01T12:00:00Z')
}

const app = fastify()
app.removeAllContentTypeParsers()
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
await app.register(eventBusApi)
const url = await app.listen({ port: 0, host: '127.0.0.1' })
t.teardown(() => app.close())
Object.assign(process.env, {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_PROFILE: '',
  AWS_ENDPOINT_URL_EVENTBRIDGE: `${url}/event-bridge`
})

const onBus = async () => (await app.inject('/bus')).json<{ Detail: { id: string } }[]>()

async function open(t: Test, name = EVENT_BUS_NAME) {
  const bus = await Bus.open(name)
  t.teardown(() => bus.close())
  return bus
}

/** A bus whose EventBridge gives these answers. */
async function answering(t: Test, ...answers: [Answer, ...Answer[]]) {
  const receiver = await buildReceiver(t, ...answers)
  const { AWS_ENDPOINT_URL_EVENTBRIDGE } = process.env
  process.env.AWS_ENDPOINT_URL_EVENTBRIDGE = receiver.url
  t.teardown(() => Object.assign(process.env, { AWS_ENDPOINT_URL_EVENTBRIDGE }))
  return { receiver, bus: await open(t) }
}

const json = (status: number, body: object): Answer => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: JSON.stringify(body)
})

t.test('sends events, up to ten in a call', async (t) => {
  const bus = await open(t)
  const ids = await Promise.all(
    Array.from({ length: 25 }, (_, index) => bus.send({ ...EVENT, detail: `{"id":"${index}"}` }, SIGNAL))
  )
  t.equal(new Set(ids).size, 25)
  t.match(await onBus(), [
    { Source: 'cloudinary', DetailType: EVENT.detailType, Detail: { id: '0' }, Time: 1780315200 }
  ])
  t.equal((await onBus()).length, 25)
})

t.test('a time-out ends a call', async (t) => {
  const { receiver } = await answering(t, 'hang')
  const bus = await Bus.open(EVENT_BUS_NAME, 20)
  t.teardown(() => bus.close())
  await t.rejects(bus.send(EVENT, SIGNAL), { code: 'EVENT_BRIDGE_UNAVAILABLE', message: /: TimeoutError/ })
  t.equal(receiver.requests.length, 3)
})

t.test('each entry fails on its own', async (t) => {
  const { bus, receiver } = await answering(
    t,
    json(200, {
      FailedEntryCount: 2,
      Entries: [
        { EventId: 'first' },
        { ErrorCode: 'ThrottlingException', ErrorMessage: 'slower' },
        { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'not yours' }
      ]
    })
  )
  t.match(await Promise.allSettled([EVENT, EVENT, EVENT].map((event) => bus.send(event, SIGNAL))), [
    { value: 'first' },
    { reason: { name: 'ListenerError', code: 'EVENT_BRIDGE_UNAVAILABLE', message: /slower/ } },
    { reason: { name: 'PermanentError', code: 'EVENT_BRIDGE_REJECTED' } }
  ])
  t.equal(receiver.requests.length, 1)
})

t.test('an answer without entries fails each of them', async (t) => {
  const { bus } = await answering(t, json(200, {}))
  await t.rejects(bus.send(EVENT, SIGNAL), /no entry/)
})

t.test('retries an outage and a missing permission', async (t) => {
  const down = await answering(t, json(500, { __type: 'InternalException', message: 'down' }))
  await t.rejects(down.bus.send(EVENT, SIGNAL), { name: 'ListenerError', code: 'EVENT_BRIDGE_UNAVAILABLE' })
  t.equal(down.receiver.requests.length, 3)
  const denied = await answering(t, json(400, { __type: 'AccessDeniedException', message: 'denied' }))
  await t.rejects(denied.bus.send(EVENT, SIGNAL), {
    code: 'EVENT_BRIDGE_UNAUTHORIZED',
    message: /allow events:PutEvents/
  })
})

t.test('rejects a bus that does not exist, and an event that is too large', async (t) => {
  await t.rejects((await open(t, 'nowhere')).send(EVENT, SIGNAL), { code: 'EVENT_BRIDGE_REJECTED' })
  const { bus, receiver } = await answering(t, 500)
  await t.rejects(bus.send({ ...EVENT, detail: 'x'.repeat(1024 * 1024) }, SIGNAL), {
    name: 'PermanentError',
    code: 'EVENT_BRIDGE_REJECTED'
  })
  t.equal(receiver.requests.length, 0)
})

t.test('calls a bus in its own region', async (t) => {
  const { receiver } = await answering(t, json(200, { Entries: [{ EventId: 'a' }] }))
  const bus = await open(t, 'arn:aws:events:eu-west-1:000000000000:event-bus/assets')
  t.equal(await bus.send(EVENT, SIGNAL), 'a')
  t.match(receiver.requests[0]?.headers.authorization, '/eu-west-1/events/')
})

t.test('checks the bus', async (t) => {
  t.match(await (await open(t)).check(SIGNAL), { level: 'ok', message: `event bus ${EVENT_BUS_NAME} exists` })
  await t.rejects((await open(t, 'nowhere')).check(SIGNAL), { code: 'EVENT_BRIDGE_REJECTED' })
  const { bus } = await answering(t, json(400, { __type: 'AccessDeniedException' }))
  t.match(await bus.check(SIGNAL), { level: 'warning', message: /allow events:DescribeEventBus/ })
  await t.rejects(bus.check(AbortSignal.abort()), { name: 'AbortError' })
})
