import fc from 'fast-check'
import t from 'tap'
import type { ActivityEvent } from '../../../../app/activity/activity-store.ts'
import { assetName, eventSummary, eventTitle } from '../../../../app/activity/pages/event-summary.ts'
import { EVENT_TYPES, type EventType } from '../../../../app/ingest/event.ts'
import { activityEvent, HOSTILE } from '../../../support/activity-events.ts'

const event = (type: EventType, change?: ActivityEvent['change'], publicId = 'shoes/red') =>
  activityEvent(type, { publicId }, change ? { change } : { change: {} })

const title = (...args: Parameters<typeof event>) => eventTitle(event(...args))

t.test('describes each change in words', async (t) => {
  t.equal(title('upload'), 'shoes/red uploaded')
  t.equal(eventTitle(activityEvent('upload', { publicId: 'a' })), 'a uploaded')
  t.equal(
    title('resource_tags_changed', { added: ['sale'], removed: ['draft'] }),
    'tags of shoes/red changed: +sale −draft'
  )
  t.equal(
    title('rename', { added: ['shoes/blue'], removed: ['shoes/red'] }),
    'renamed from shoes/red to shoes/blue'
  )
  t.equal(title('rename'), 'shoes/red-renamed renamed')
  t.equal(title('rename', { removed: ['shoes/red'] }), 'shoes/red-renamed renamed')
  t.equal(title('move', { added: ['archive'], removed: [''] }), 'shoes/red moved from / to archive')
  t.equal(title('move', { added: ['archive'] }), 'shoes/red moved to archive')
  t.equal(title('move', { removed: ['a'] }), 'shoes/red moved from a')
  t.equal(title('resource_metadata_changed', { added: ['cms_id'] }), 'metadata of shoes/red changed: +cms_id')
  t.equal(title('create_folder', { added: ['a/b'] }), 'folder a/b created')
  t.equal(title('delete_folder', { removed: ['a/b'] }), 'folder a/b deleted')
  t.equal(title('delete_folder'), 'folder deleted')
  t.equal(eventTitle({ ...event('error'), asset: null }), 'Cloudinary reported an error')
  t.equal(title('unknown'), 'notification of an unknown type about shoes/red')
})

t.test('many changes and long values are truncated', async (t) => {
  const added = Array.from({ length: 9 }, (_, index) => `tag${index}`)
  t.match(title('resource_tags_changed', { added }), / \+tag5 and 3 more$/)
  const cut = title('upload', undefined, 'x'.repeat(500))
  t.equal(cut, `${'x'.repeat(60)}…${'x'.repeat(60)} uploaded`)
})

t.test('names an asset by its public id, else by its asset id', async (t) => {
  t.equal(assetName({ asset: { publicId: 'a', assetId: 'b' } }), 'a')
  t.equal(assetName({ asset: { assetId: 'b' } }), 'b')
  t.equal(eventTitle({ ...event('upload'), asset: null }), 'an asset uploaded')
})

t.test('the markup marks the values, with the same text', async (t) => {
  t.equal(
    eventSummary(event('resource_tags_changed', { added: ['sale'], removed: ['draft'] })).toString(),
    'tags of <bdi class="asset">shoes/red</bdi> changed: <bdi class="added">+sale</bdi> <bdi class="removed">−draft</bdi>'
  )
})

t.test('has words for every type', async (t) => {
  for (const type of EVENT_TYPES) t.match(title(type), /\w/, type)
})

t.test('escapes every value of every type', async () => {
  const value = fc.oneof(fc.string(), fc.constant(HOSTILE))
  const values = fc.array(value, { maxLength: 3 })
  fc.assert(
    fc.property(fc.constantFrom(...EVENT_TYPES), value, values, values, (type, publicId, added, removed) => {
      const each = event(type, { added, removed }, publicId)
      const markup = eventSummary(each).toString()
      const withoutOurs = markup.replace(/<bdi class="(asset|name|added|removed)">|<\/bdi>/g, '')
      return eventTitle(each).trim().length > 0 && !/[<>"]/.test(withoutOurs)
    })
  )
})
