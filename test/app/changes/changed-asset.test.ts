import t from 'tap'
import { describeChange, textOf } from '../../../app/changes/changed-asset.ts'

const found = {
  asset_id: 'a',
  public_id: 'shop/bag',
  resource_type: 'image',
  type: 'upload',
  created_at: '2026-06-01T12:00:00+00:00',
  metadata: { last_update_timestamp: 1_780_315_200, cms_id: '7' },
  tags: ['x'],
  width: undefined,
  height: null,
  created_by: { access_key: '123' }
}

t.test('returns the stamp as a time, and only listed fields that are set', async (t) => {
  t.strictSame(describeChange(found, 1_780_315_200_000), {
    asset_id: 'a',
    public_id: 'shop/bag',
    resource_type: 'image',
    type: 'upload',
    changed_at: '2026-06-01T12:00:00.000Z',
    metadata: { last_update_timestamp: 1_780_315_200, cms_id: '7' },
    tags: ['x'],
    created_at: '2026-06-01T12:00:00+00:00'
  })
})

t.test('serializes the same state to the same text, whatever the order of keys', async (t) => {
  const text = (change: object) => textOf(describeChange({ ...found, ...change }, 0))
  const { cms_id, last_update_timestamp } = found.metadata
  t.equal(text({ metadata: { cms_id, last_update_timestamp } }), text({}))
  t.not(text({ metadata: { cms_id: '8', last_update_timestamp } }), text({}))
  t.not(text({ tags: ['y', 'x'] }), text({ tags: ['x', 'y'] }))
  t.equal(
    text({ context: { b: null, a: { d: 1, c: 2 } } }),
    text({ context: { a: { c: 2, d: 1 }, b: null } })
  )
})
