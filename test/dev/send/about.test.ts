import { test } from 'tap'
import { SAMPLE_NAMES, sampleNotification } from '../../../app/testing/samples.ts'
import { assetsOf, makerOf } from '../../../dev/send/about.ts'

test('a flat notification is about its own asset', async (t) => {
  t.strictSame(assetsOf({ public_id: 'a', asset_id: 'b', width: 1 }), [{ publicId: 'a', assetId: 'b' }])
  t.strictSame(assetsOf({ from_public_id: 'a', to_public_id: 'c' }), [{ publicId: 'a' }])
})

test('lists and maps are about each of theirs', async (t) => {
  t.strictSame(assetsOf({ resources: [{ public_id: 'a' }, 'nonsense', { asset_id: 'b' }] }), [
    { publicId: 'a' },
    { assetId: 'b' }
  ])
  t.strictSame(assetsOf({ resources: { a: { asset_id: 'b' }, c: 'nonsense' } }), [
    { publicId: 'a', assetId: 'b' },
    { publicId: 'c' }
  ])
  t.strictSame(assetsOf({ assets: [{ public_id: 'a' }] }), [{ publicId: 'a' }])
})

test('a notification may be about no asset', async (t) => {
  t.strictSame(assetsOf(null), [])
  t.strictSame(assetsOf({ folder_path: 'a' }), [])
})

test('every sample but those on folders and on the environment is about an asset', async (t) => {
  const none = SAMPLE_NAMES.filter(({ type }) => assetsOf(sampleNotification(type)).length === 0)
  t.same(
    none.map(({ type }) => type),
    [
      'bulk_refresh_auto_fetch',
      'create_folder',
      'delete_folder',
      'invalidate_custom_cdn',
      'move_or_rename_asset_folder',
      'report'
    ]
  )
})

test('who made it is a key, a person, or not said', async (t) => {
  const by = (triggered_by: unknown) => makerOf({ notification_context: { triggered_by } })
  t.equal(by({ source: 'api', id: '222' }), 'API key 222')
  t.equal(by({ source: 'ui', id: 'abc' }), 'ui abc')
  t.equal(by(undefined), 'not said in the body')
  t.equal(makerOf({}), 'not said in the body')
  t.equal(makerOf(null), 'not said in the body')
})
