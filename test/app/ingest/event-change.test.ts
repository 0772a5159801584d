import fc from 'fast-check'
import t from 'tap'
import { EVENT_TYPES } from '../../../app/ingest/event.ts'
import { changeSummary, propertyChanges } from '../../../app/ingest/event-change.ts'
import { sampleEvent } from '../../support/events.ts'

const summaryOf = (...args: Parameters<typeof sampleEvent>) => {
  const { type, payload } = sampleEvent(...args)
  return changeSummary(type, payload)
}

t.test('tags are added and removed', async (t) => {
  t.strictSame(summaryOf('resource_tags_changed'), { added: ['autumn', 'sale'], removed: ['summer'] })
  t.strictSame(summaryOf('resource_tags_changed', { variant: 'updated' }), { added: ['autumn', 'sale'] })
})

t.test('fields of metadata that have not changed are left out', async (t) => {
  const before = { same: 'a', gone: 'b', changed: ['brown'] }
  const after = { same: 'a', changed: ['brown', 'black'], came: 3 }
  const payload = { previous_metadata: before, new_metadata: after }
  t.strictSame(propertyChanges('resource_metadata_changed', payload), [
    { kind: 'metadata', property: 'gone', before: 'b' },
    { kind: 'metadata', property: 'changed', before: '["brown"]', after: '["brown","black"]' },
    { kind: 'metadata', property: 'came', after: '3' }
  ])
  t.strictSame(changeSummary('resource_metadata_changed', payload), {
    added: ['changed', 'came'],
    removed: ['gone']
  })
})

t.test('every spelling of a context change is read alike', async (t) => {
  for (const variant of ['objects', 'arrays', 'names']) {
    t.strictSame(
      summaryOf('resource_context_changed', { variant }),
      { added: ['alt', 'caption'], removed: ['credit'] },
      variant
    )
  }
})

t.test('of names and folders, the new one is added and the old one removed', async (t) => {
  const renamed = { added: ['samples/leather-bag-renamed'], removed: ['samples/leather-bag'] }
  t.strictSame(summaryOf('rename'), renamed)
  t.strictSame(summaryOf('move'), { added: ['archive'], removed: ['samples'] })
  t.strictSame(summaryOf('move', { variant: 'folders' }), { added: ['archive'], removed: ['samples'] })
  t.strictSame(summaryOf('resource_display_name_changed'), {
    added: ['leather-bag (new)'],
    removed: ['leather-bag']
  })
  t.strictSame(summaryOf('create_folder'), { added: ['samples'] })
  t.strictSame(summaryOf('delete_folder'), { removed: ['samples'] })
  t.strictSame(summaryOf('move_or_rename_asset_folder'), { added: ['archive/samples'], removed: ['samples'] })
  t.strictSame(changeSummary('create_folder', { folder_name: 'x' }), { added: ['x'] })
  t.strictSame(changeSummary('delete_folder', { folder_name: 'x' }), { removed: ['x'] })
})

t.test('access and moderation are shown as they are stated', async (t) => {
  t.strictSame(propertyChanges('access_control_changed', sampleEvent('access_control_changed').payload), [
    { kind: 'access', property: 'access control', before: '[]', after: '[{"access_type":"token"}]' }
  ])
  t.strictSame(changeSummary('moderation', { moderation_status: 'approved' }), { added: ['approved'] })
})

t.test('an event that states no change has no summary', async (t) => {
  t.equal(summaryOf('upload'), undefined)
  t.equal(changeSummary('rename', { from_public_id: 'a', to_public_id: 'a' }), undefined)
})

t.test('a summary is short, whatever the payload holds', async () => {
  const json = fc.jsonValue()
  const fields = fc.dictionary(
    fc.constantFrom(
      'added',
      'removed',
      'updated',
      'previous_metadata',
      'new_metadata',
      'from_public_id',
      'to_path'
    ),
    fc.oneof(
      json,
      fc.array(fc.string({ maxLength: 400 }), { maxLength: 40 }),
      fc.array(fc.record({ name: json, value: json }))
    )
  )
  fc.assert(
    fc.property(fc.constantFrom(...EVENT_TYPES), fc.oneof(json, fields), (type, payload) => {
      const { added = [], removed = [] } = changeSummary(type, payload) ?? {}
      for (const list of [added, removed]) {
        if (list.length > 20 || list.some((entry) => typeof entry !== 'string' || entry.length > 200))
          return false
      }
      return true
    })
  )
})
