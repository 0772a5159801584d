import t from 'tap'
import { Triggers } from '../../../dev/cloudinary/trigger-store.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
const HOOK = 'https://example.com/hook'

t.test('creates, lists, updates and deletes a trigger', (t) => {
  const triggers = new Triggers()
  const created = triggers.create({ uri: HOOK, event_type: 'upload' }, NOW)
  t.match(created, {
    id: /^[0-9a-f]{32}$/,
    uri: HOOK,
    uri_type: 'webhook',
    event_type: 'upload',
    created_at: '2026-06-01T12:00:00Z'
  })
  triggers.create({ uri: 'poll://orders/1', event_type: 'all', uri_type: 'poll' }, NOW)
  t.equal(triggers.list().length, 2)
  t.strictSame(triggers.list('upload'), [created])
  triggers.update(created.id, { new_uri: 'https://example.com/other' }, NOW + 1000)
  t.match(triggers.get(created.id), {
    uri: 'https://example.com/other',
    created_at: '2026-06-01T12:00:00Z',
    updated_at: '2026-06-01T12:00:01Z'
  })
  triggers.delete(created.id)
  t.throws(() => triggers.get(created.id), { name: 'ApiError', status: 404 })
  t.end()
})

t.test('selects the triggers on the type and on `all`', (t) => {
  const triggers = new Triggers()
  for (const event_type of ['upload', 'delete', 'all'])
    triggers.create({ uri: `${HOOK}/${event_type}`, event_type }, NOW)
  const places = (type: string | null) => triggers.for(type, '{}').map(({ uri }) => uri)
  t.strictSame(places('upload'), [`${HOOK}/upload`, `${HOOK}/all`])
  t.strictSame(places('asset_admired'), [`${HOOK}/all`])
  t.strictSame(places(null), [`${HOOK}/all`])
  t.end()
})

t.test('refuses an invalid trigger', (t) => {
  const triggers = new Triggers()
  for (const params of [
    {},
    { uri: HOOK },
    { uri: HOOK, event_type: 'related_assets' },
    { uri: 'example.com', event_type: 'upload' },
    { event_type: 'upload' },
    { uri: HOOK, event_type: 'upload', uri_type: 'flow' },
    { uri: HOOK, event_type: 'upload', uri_type: 'poll' },
    { uri: 'poll://*', event_type: 'upload', uri_type: 'poll' },
    { uri: HOOK, event_type: 'upload', additive: 'yes' },
    { uri: HOOK, event_type: 'upload', filter: 'all' },
    { uri: HOOK, event_type: 'upload', filter: { nosuch: [1] } },
    { uri: HOOK, event_type: 'upload', filter: {}, filter_language: 'cel' },
    { uri: HOOK, event_type: 'upload', auth_scheme: 'none' }
  ]) {
    t.throws(() => triggers.create(params, NOW), { name: 'ApiError', status: 400 }, JSON.stringify(params))
  }
  t.strictSame(triggers.list(), [])
  t.end()
})

t.test('refuses a second trigger for the same type and URL', (t) => {
  const triggers = new Triggers()
  triggers.create({ uri: HOOK, event_type: 'upload', uri_type: null }, NOW)
  t.throws(() => triggers.create({ uri: HOOK, event_type: 'upload' }, NOW), { name: 'ApiError', status: 409 })
  const other = triggers.create({ uri: `${HOOK}/other`, event_type: 'upload' }, NOW)
  t.throws(() => triggers.update(other.id, { uri: HOOK }, NOW), { name: 'ApiError', status: 409 })
  t.end()
})

t.test('selects a trigger with a filter only for a matching body', (t) => {
  const triggers = new Triggers()
  const filter = { '==': [{ var: 'resource_type' }, 'image'] }
  const { id } = triggers.create({ uri: HOOK, event_type: 'upload', filter }, NOW)
  t.match(triggers.get(id), { filter, filter_language: 'jsonlogic', additive: false, auth_scheme: 'default' })
  t.equal(triggers.for('upload', '{"resource_type":"image"}').length, 1)
  t.equal(triggers.for('upload', '{"resource_type":"video"}').length, 0)
  triggers.update(id, { additive: true, payload_template: { body: '{{public_id}}' } }, NOW)
  t.match(triggers.get(id), { uri: HOOK, filter, additive: true, payload_template: { body: /public_id/ } })
  triggers.update(id, { filter: {} }, NOW)
  t.equal(triggers.for('upload', '{"resource_type":"video"}').length, 1)
  t.end()
})

t.test('allows 30 notification URLs, each with any number of types', (t) => {
  const triggers = new Triggers()
  for (let index = 0; index < 30; index += 1)
    triggers.create({ uri: `${HOOK}/${index}`, event_type: 'upload' }, NOW)
  triggers.create({ uri: `${HOOK}/0`, event_type: 'delete' }, NOW)
  triggers.create({ uri: 'poll://orders', event_type: 'all', uri_type: 'poll' }, NOW)
  t.throws(() => triggers.create({ uri: HOOK, event_type: 'upload' }, NOW), { name: 'ApiError', status: 400 })
  t.equal(triggers.list().length, 32)
  t.end()
})
