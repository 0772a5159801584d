import t from 'tap'
import type { EventType } from '../../../app/ingest/event.ts'
import { eventChange } from '../../../app/journal/event-change.ts'

const change = (type: EventType, payload: Record<string, unknown>) => eventChange({ type, payload })

t.test('names the tags, keys and fields that an event changed', async (t) => {
  t.strictSame(change('resource_tags_changed', { added: ['sale'], removed: ['draft'], updated: ['new'] }), {
    added: ['sale', 'new'],
    removed: ['draft']
  })
  t.strictSame(
    change('resource_context_changed', { added: { alt: 'A bag' }, removed: [{ name: 'credit' }, 7] }),
    {
      added: ['alt'],
      removed: ['credit']
    }
  )
  t.strictSame(
    change('resource_metadata_changed', {
      previous_metadata: { id: 1, colours: ['brown'], old: true },
      new_metadata: { id: 2, colours: ['brown'] }
    }),
    { added: ['id'], removed: ['old'] }
  )
  t.strictSame(change('resource_metadata_changed', { new_metadata: { id: 2 } }), { added: ['id'] })
})

t.test('names the old and the new public id of a rename', async (t) => {
  t.strictSame(change('rename', { from_public_id: 'a', to_public_id: 'b' }), { added: ['b'], removed: ['a'] })
})

t.test('is undefined if the payload names no change', async (t) => {
  t.equal(change('upload', { tags: ['a'] }), undefined)
  t.equal(change('resource_tags_changed', { added: 'nonsense', removed: null }), undefined)
})

t.test('is short', async (t) => {
  const { added } = change('resource_tags_changed', { added: Array(50).fill('x'.repeat(500)) })!
  t.equal(added?.length, 20)
  t.equal(added?.[0]?.length, 100)
})
