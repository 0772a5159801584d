import { test } from 'tap'
import { OTHERS } from '../../../../app/testing/samples/other-samples.ts'
import { sampleContext } from '../../../../app/testing/samples/sample-asset.ts'

const context = sampleContext({ publicId: 'shop/bags/brown', now: new Date('2026-02-03T04:05:06.789Z') })

test('contains path and name of a folder', async (t) => {
  const folder = { source: 'api', folder_path: 'shop/bags', folder_name: 'bags' }
  t.match(OTHERS.create_folder.default(context), folder)
  t.match(OTHERS.delete_folder.default(context), folder)
  t.match(OTHERS.move_or_rename_asset_folder.default(context), {
    from_path: 'shop/bags',
    to_path: 'archive/bags',
    status: 'completed'
  })
})

test('contains only the id for related assets', async (t) => {
  const body = OTHERS.related_assets.default(context)
  t.match(body, { action_type: 'add', asset_id: /^[0-9a-f]{32}$/, total_success: 2 })
  t.notOk('public_id' in body)
})

test('contains the status of errors, reports and jobs', async (t) => {
  t.match(OTHERS.error.default(context), { error: { message: String } })
  t.match(OTHERS.report.default(context), { status: 'completed', report_id: String })
  t.match(OTHERS.bulk_refresh_auto_fetch.default(context), { status: 'completed' })
  t.match(OTHERS.invalidate_custom_cdn.default(context), { urls: [/brown/] })
})

test('contains an asset for an unknown type', async (t) => {
  t.match(OTHERS.unknown.default(context), {
    notification_type: 'asset_admired',
    public_id: 'shop/bags/brown'
  })
})
