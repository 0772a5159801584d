import t from 'tap'
import { CHANGE_KINDS } from '../../../../app/commands/reconcile/change-kinds.ts'
import { CONTEXT, found, METADATA, TAGS, UPLOAD } from './fixtures.ts'

const identity = { asset_id: 'bag-id', public_id: 'bag', resource_type: 'image', type: 'upload' }

t.test('reads the time of the last change of each kind', async (t) => {
  t.strictSame(
    CHANGE_KINDS.map((kind) => kind.changedAt(found())),
    [
      '2026-06-01T12:00:00+00:00',
      '2026-06-01T12:01:00+00:00',
      '2026-06-01T12:02:00+00:00',
      '2026-06-01T12:03:00+00:00'
    ]
  )
  const { uploaded_at: _, last_updated: __, ...bare } = found()
  t.strictSame(
    CHANGE_KINDS.map((kind) => kind.changedAt(bare)),
    [undefined, undefined, undefined, undefined]
  )
})

t.test('describes an upload as its notification does', async (t) => {
  const { uploaded_at: _, last_updated: __, ...shared } = found()
  t.strictSame(UPLOAD.describe(found()), { ...shared, context: { custom: { alt: 'a bag' } } })
  t.strictSame(UPLOAD.describe(found({ context: { custom: { alt: 'a bag' } } })).context, {
    custom: { alt: 'a bag' }
  })
  t.strictSame(UPLOAD.describe(found({ context: { custom: 'a key' } })).context, {
    custom: { custom: 'a key' }
  })
  t.notOk('context' in UPLOAD.describe(found({ context: {} })))
  const { context: ___, ...without } = found()
  t.notOk('context' in UPLOAD.describe(without))
})

t.test('describes a change by the current value', async (t) => {
  t.strictSame(TAGS.describe(found()), { ...identity, tags: ['leather'] })
  t.strictSame(METADATA.describe(found()), { ...identity, new_metadata: { cms_id: '7' } })
  t.strictSame(CONTEXT.describe(found()), { ...identity, context: { custom: { alt: 'a bag' } } })
  const { tags: _, metadata: __, context: ___, ...bare } = found()
  t.strictSame(TAGS.describe(bare).tags, [])
  t.strictSame(METADATA.describe(bare).new_metadata, {})
  t.strictSame(CONTEXT.describe(bare).context, { custom: {} })
})
