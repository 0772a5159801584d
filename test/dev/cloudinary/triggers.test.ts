import t from 'tap'
import { Triggers } from '../../../dev/cloudinary/triggers.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
const HOOK = 'https://example.com/hook'

t.test('a trigger is created, listed, pointed elsewhere and deleted', (t) => {
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
  triggers.update(created.id, 'https://example.com/other', NOW + 1000)
  t.match(triggers.get(created.id), {
    uri: 'https://example.com/other',
    created_at: '2026-06-01T12:00:00Z',
    updated_at: '2026-06-01T12:00:01Z'
  })
  triggers.delete(created.id)
  t.throws(() => triggers.get(created.id), { name: 'ApiError', status: 404 })
  t.end()
})

t.test('a notification goes to the triggers of its type and to those on all', (t) => {
  const triggers = new Triggers()
  for (const event_type of ['upload', 'delete', 'all'])
    triggers.create({ uri: `${HOOK}/${event_type}`, event_type }, NOW)
  const places = (type: string | null) => triggers.for(type).map(({ uri }) => uri)
  t.strictSame(places('upload'), [`${HOOK}/upload`, `${HOOK}/all`])
  t.strictSame(places('asset_admired'), [`${HOOK}/all`])
  t.strictSame(places(null), [`${HOOK}/all`])
  t.end()
})

t.test('what is no trigger is refused', (t) => {
  const triggers = new Triggers()
  for (const params of [
    {},
    { uri: HOOK },
    { uri: HOOK, event_type: 'related_assets' },
    { uri: 'example.com', event_type: 'upload' },
    { event_type: 'upload' },
    { uri: HOOK, event_type: 'upload', uri_type: 'flow' },
    { uri: HOOK, event_type: 'upload', uri_type: 'poll' },
    { uri: 'poll://*', event_type: 'upload', uri_type: 'poll' }
  ]) {
    t.throws(() => triggers.create(params, NOW), { name: 'ApiError', status: 400 }, JSON.stringify(params))
  }
  t.strictSame(triggers.list(), [])
  t.end()
})

t.test('there is one trigger for a type and a place', (t) => {
  const triggers = new Triggers()
  const first = triggers.create({ uri: HOOK, event_type: 'upload', uri_type: null }, NOW)
  t.throws(() => triggers.create({ uri: HOOK, event_type: 'upload' }, NOW), { name: 'ApiError', status: 409 })
  t.throws(() => triggers.update(first.id, HOOK, NOW), { name: 'ApiError', status: 409 })
  t.end()
})
