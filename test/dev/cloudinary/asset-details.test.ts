import t from 'tap'
import { changeDetails, detailsIn } from '../../../dev/cloudinary/asset-details.ts'
import { assetWith } from './fixtures.ts'
import { connect, refusal, sdk } from './sdk.ts'

const TOKEN = [{ access_type: 'token' as const }]

t.test('reads the details of a call', async (t) => {
  t.strictSame(detailsIn({}), { displayName: undefined, accessControl: undefined })
  t.strictSame(
    detailsIn({ asset_folder: '', display_name: 'A', access_control: '[{"access_type":"token"}]' }),
    { assetFolder: '', displayName: 'A', accessControl: TOKEN }
  )
  for (const access_control of ['{', '{}', '[null]', '[{"access_type":"secret"}]']) {
    t.throws(() => detailsIn({ access_control }), { name: 'ApiError', status: 400 })
  }
})

t.test('notifies of each change, and of no other', async (t) => {
  const asset = assetWith({ assetFolder: 'old', displayName: 'A' })
  const { assetId, ...identity } = { assetId: asset.assetId, resource_type: 'image', type: 'upload' }
  const details = { assetFolder: 'new', displayName: 'B', accessControl: TOKEN }
  t.match(changeDetails(asset, details), [
    {
      notification_type: 'move',
      resources: { a: { from_asset_folder: 'old', to_asset_folder: 'new', asset_id: assetId, ...identity } }
    },
    {
      notification_type: 'resource_display_name_changed',
      resources: { a: { previous_display_name: 'A', new_display_name: 'B' } }
    },
    {
      notification_type: 'access_control_changed',
      resources: [{ public_id: 'a', previous_access_control: [], new_access_control: TOKEN }]
    }
  ])
  t.match(asset, details)
  t.strictSame(changeDetails(asset, details), [])
  t.strictSame(changeDetails(asset, {}), [])
})

t.test('the SDK sets and clears details by `explicit`, which cannot name the root folder', async (t) => {
  const { standIn, own } = await connect(t)
  standIn.ui().upload({ publicId: 'bag', assetFolder: 'old', displayName: 'A' })
  const explicit = (options: object) => sdk.uploader.explicit('bag', { type: 'upload', ...own, ...options })
  t.match(await explicit({ asset_folder: 'new', display_name: 'B', access_control: TOKEN }), {
    asset_folder: 'new',
    display_name: 'B',
    access_control: TOKEN
  })
  t.match(await explicit({ access_control: [], asset_folder: '' }), {
    asset_folder: 'new',
    access_control: undefined
  })
  t.match(await refusal(explicit({ access_control: '[{}]' })), { http_code: 400 })
})
