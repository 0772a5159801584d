import t from 'tap'
import {
  createTrigger,
  deleteTrigger,
  listTriggers,
  testTrigger,
  updateTrigger
} from '../../../app/cloudinary/triggers.ts'
import { buildCloudinary } from '../../support/cloudinary.ts'

t.test('creates, lists and deletes triggers', async (t) => {
  const { clients, cloudinary } = await buildCloudinary(t)
  const client = clients.for('demo', new AbortController().signal)
  t.strictSame(await listTriggers(client), [])
  await createTrigger(client, { uri: 'https://example.com/', event_type: 'upload', uri_type: 'webhook' })
  await createTrigger(client, { uri: 'poll://orders', event_type: 'all', uri_type: 'poll' })
  const [webhook, poll] = await listTriggers(client)
  t.match(webhook, { uri: 'https://example.com/', event_type: 'upload', uri_type: 'webhook' })
  t.match(poll, { uri: 'poll://orders', event_type: 'all', uri_type: 'poll' })
  await deleteTrigger(client, webhook!.id)
  t.strictSame(await listTriggers(client), [poll])
  t.equal(cloudinary.cloud().triggers.list().length, 1)
  await t.rejects(deleteTrigger(client, 'a/b'), { code: 'CLOUDINARY_NOT_FOUND' })
})

t.test('an update repeats the other fields', async (t) => {
  const { clients, cloudinary } = await buildCloudinary(t)
  const client = clients.for('demo', new AbortController().signal)
  const filter = { '==': [{ var: 'type' }, 'upload'] }
  const { triggers } = cloudinary.cloud()
  triggers.create({ uri: 'https://example.com/', event_type: 'upload', filter }, 0)
  const [trigger] = await listTriggers(client)
  await updateTrigger(client, { ...trigger!, payload_template: null }, { additive: true })
  t.strictSame(cloudinary.calls.at(-1)?.params, {
    uri: 'https://example.com/',
    event_type: 'upload',
    additive: true,
    filter,
    filter_language: 'jsonlogic',
    auth_scheme: 'default'
  })
  t.match(triggers.list(), [{ additive: true, filter }])
})

t.test('tests a trigger', async (t) => {
  const { clients, cloudinary } = await buildCloudinary(t, {}, { retryDelaysMs: [] })
  const client = clients.for('demo', new AbortController().signal)
  const { id } = cloudinary
    .cloud()
    .triggers.create({ uri: 'poll://a', event_type: 'all', uri_type: 'poll' }, 0)
  await testTrigger(client, id)
  await cloudinary.idle()
  t.equal(cloudinary.cloud().channels.size('a'), 1)
  await t.rejects(testTrigger(client, 'none'), { code: 'CLOUDINARY_NOT_FOUND' })
})

t.test('a response without triggers is an empty list', async (t) => {
  t.capture(globalThis, 'fetch', async () => new Response('{}'))
  const { clients } = await buildCloudinary(t)
  t.strictSame(await listTriggers(clients.for('demo', new AbortController().signal)), [])
})

t.test('drops an invalid trigger', async (t) => {
  const good = { id: '1', uri: 'https://example.com/', event_type: 'all', more: [null] }
  const triggers = [null, 1, 'a', [], {}, { id: 2, uri: 'a', event_type: 'b' }, good, { ...good, uri: null }]
  t.capture(globalThis, 'fetch', async () => Response.json({ triggers }))
  const { clients } = await buildCloudinary(t)
  t.strictSame(await listTriggers(clients.for('demo', new AbortController().signal)), [good])
})
