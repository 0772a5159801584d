import t from 'tap'
import { connect, listen, rest } from './sdk.ts'

const TRIGGERS = '/v1_1/:cloud/triggers'

t.test('creates, lists, updates, tests and deletes triggers', async (t) => {
  const { own } = await connect(t)
  const uri = 'https://example.com/hook'
  const created = await rest(own, 'POST', TRIGGERS, { uri, event_type: 'upload', uri_type: null })
  t.match(created, { status: 200, body: { uri, event_type: 'upload', uri_type: 'webhook' } })
  const { id } = created.body
  await rest(own, 'POST', TRIGGERS, { uri: 'poll://orders', event_type: 'all', uri_type: 'poll' })
  t.match(await rest(own, 'GET', TRIGGERS), {
    body: { total: 2, triggers: [{ id }, { uri: 'poll://orders' }] }
  })
  t.match(await rest(own, 'GET', `${TRIGGERS}?event_type=upload`), { body: { total: 1, triggers: [{ id }] } })
  t.match(await rest(own, 'POST', `${TRIGGERS}/${id}/test`, { sample_data: null }), {
    body: { trigger_id: id, filter_present: false, filter_result: true }
  })
  t.match(await rest(own, 'PUT', `${TRIGGERS}/${id}`, { new_uri: `${uri}/2` }), { body: { uri: `${uri}/2` } })
  t.match(await rest(own, 'PUT', `${TRIGGERS}/${id}`, { additive: true }), {
    body: { uri: `${uri}/2`, event_type: 'upload', additive: true }
  })
  t.match(await rest(own, 'GET', TRIGGERS), { body: { triggers: [{ id, uri: `${uri}/2` }, {}] } })
  t.match(await rest(own, 'DELETE', `${TRIGGERS}/${id}`), { body: { message: 'ok' } })
  t.match(await rest(own, 'DELETE', `${TRIGGERS}/${id}`), { status: 404 })
})

t.test('refuses an invalid trigger, and a call without a key', async (t) => {
  const { standIn, own } = await connect(t)
  t.match(await rest(own, 'POST', TRIGGERS), { status: 400, body: { error: { message: /event_type/ } } })
  t.match(await rest(own, 'PUT', `${TRIGGERS}/none`), { status: 404 })
  t.match(await rest({ ...own, api_secret: 'x' }, 'GET', TRIGGERS), { status: 401 })
  t.equal(standIn.calls.at(-1)?.action, 'triggers')
})

t.test('notifies every URL of the triggers once', async (t) => {
  const hook = await listen(t)
  const { standIn, own } = await connect(t, { notificationUrl: hook })
  for (const [uri, event_type] of [
    [hook, 'upload'],
    [`${hook}/all`, 'all'],
    [`${hook}/delete`, 'delete']
  ])
    await rest(own, 'POST', TRIGGERS, { uri, event_type })
  standIn.ui().upload({ publicId: 'a' })
  await standIn.idle()
  t.same(new Set(standIn.deliveries.map(({ url }) => url)), new Set([hook, `${hook}/all`]))
})

t.test('sends a test notification only to its trigger, if the filter matches', async (t) => {
  const hook = await listen(t)
  const { standIn, own } = await connect(t, { notificationUrl: await listen(t) })
  const filter = { '==': [{ var: 'public_id' }, 'bag'] }
  const { body } = await rest(own, 'POST', TRIGGERS, { uri: hook, event_type: 'upload', filter })
  const test = (sample_data?: object) =>
    rest(own, 'POST', `${TRIGGERS}/${body.id}/test`, sample_data && { sample_data })
  t.match((await test()).body, { filter_present: true, filter_result: false })
  t.match((await test({ public_id: 'bag' })).body, { filter_present: true, filter_result: true })
  await standIn.idle()
  t.match(standIn.deliveries, [{ url: hook, notificationType: 'test', outcome: 'delivered' }])
  t.equal(standIn.deliveries.length, 1)
  t.match(JSON.parse(standIn.deliveries[0]!.body), {
    trigger_id: body.id,
    event_type: 'upload',
    public_id: 'bag'
  })
})
