import fastify from 'fastify'
import t from 'tap'
import { EVENT_BUS_NAME, eventBusApi } from '../../dev/event-bus.ts'

const app = fastify()
app.removeAllContentTypeParsers()
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
await app.register(eventBusApi)
t.teardown(() => app.close())

const call = (operation: string, input: object) =>
  app.inject({
    method: 'POST',
    url: '/event-bridge/',
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `AWSEvents.${operation}` },
    body: JSON.stringify(input)
  })

const entry = (id: number, EventBusName = EVENT_BUS_NAME) => ({
  EventBusName,
  Source: 'cloudinary',
  DetailType: 'com.cloudinary.upload',
  Detail: JSON.stringify({ id }),
  Time: 1
})

t.test('keeps the last 1,000 events', async (t) => {
  const { statusCode, body } = await call('PutEvents', { Entries: [entry(0), entry(0, 'other')] })
  t.equal(statusCode, 200)
  t.match(JSON.parse(body), {
    FailedEntryCount: 1,
    Entries: [{ EventId: 'event-1' }, { ErrorCode: 'ResourceNotFoundException' }]
  })
  for (let page = 0; page < 100; page++)
    await call('PutEvents', {
      Entries: Array.from({ length: 10 }, (_, index) => entry(page * 10 + index + 1))
    })
  const shown = (await app.inject('/bus')).json()
  t.equal(shown.length, 1000)
  t.match([shown[0], shown.at(-1)], [{ Detail: { id: 1 } }, { Detail: { id: 1000 } }])
})

t.test('describes its bus, and refuses the rest', async (t) => {
  t.match(await call('DescribeEventBus', { Name: EVENT_BUS_NAME }), { statusCode: 200 })
  t.match(await call('DescribeEventBus', { Name: 'other' }), { statusCode: 400, body: /ResourceNotFound/ })
  t.match(await call('PutEvents', { Entries: Array.from({ length: 11 }, () => entry(1)) }), {
    statusCode: 400,
    body: /ValidationException/
  })
  t.match(await call('PutRule', {}), { statusCode: 400, body: /UnknownOperation/ })
})
