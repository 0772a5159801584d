import t from 'tap'
import { SIDES } from '../../../../app/commands/reconcile/tracked-changes.ts'
import { CHANGES_OF_CONTEXT, found, METADATA, TAGS, UPLOAD } from './fixtures.ts'

const identity = { asset_id: 'bag-id', public_id: 'bag', resource_type: 'image', type: 'upload' }

t.test('each side has a time of its own, or none', async (t) => {
  t.strictSame(
    SIDES.map((side) => side.changedAt(found())),
    [
      '2026-06-01T12:00:00+00:00',
      '2026-06-01T12:01:00+00:00',
      '2026-06-01T12:02:00+00:00',
      '2026-06-01T12:03:00+00:00'
    ]
  )
  const { uploaded_at: _, last_updated: __, ...bare } = found()
  t.strictSame(
    SIDES.map((side) => side.changedAt(bare)),
    [undefined, undefined, undefined, undefined]
  )
})

t.test(
  'an upload is described as its notification does: context under `custom`, no times of changes',
  async (t) => {
    const { uploaded_at: _, last_updated: __, ...shared } = found()
    t.strictSame(UPLOAD.describe(found()), { ...shared, context: { custom: { alt: 'a bag' } } })
    t.strictSame(UPLOAD.describe(found({ context: { custom: { alt: 'a bag' } } })).context, {
      custom: { alt: 'a bag' }
    })
    t.strictSame(UPLOAD.describe(found({ context: { custom: 'a key called so' } })).context, {
      custom: { custom: 'a key called so' }
    })
    t.notOk('context' in UPLOAD.describe(found({ context: {} })))
    const { context: ___, ...without } = found()
    t.notOk('context' in UPLOAD.describe(without))
  }
)

t.test('a change is described by how its side is now', async (t) => {
  t.strictSame(TAGS.describe(found()), { ...identity, tags: ['leather'] })
  t.strictSame(METADATA.describe(found()), { ...identity, new_metadata: { cms_id: '7' } })
  t.strictSame(CHANGES_OF_CONTEXT.describe(found()), { ...identity, context: { custom: { alt: 'a bag' } } })
  const { tags: _, metadata: __, context: ___, ...bare } = found()
  t.strictSame(TAGS.describe(bare).tags, [])
  t.strictSame(METADATA.describe(bare).new_metadata, {})
  t.strictSame(CHANGES_OF_CONTEXT.describe(bare).context, { custom: {} })
})
