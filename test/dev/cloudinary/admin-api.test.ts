import t from 'tap'
import { connect, environment, listen, notification, refusal, sdk, searchFor } from './sdk.ts'

t.test('finds an asset by any public ID, and by its asset ID', async (t) => {
  const { standIn, own } = await connect(t)
  for (const publicId of ['a', 'shop/a b', "it's 100% é?#&", 'x'.repeat(255)]) {
    const { asset } = standIn.ui().upload({ publicId, tags: ['x'] })
    t.match(await sdk.api.resource(publicId, own), { public_id: publicId, tags: ['x'] })
    t.match(await sdk.api.resource_by_asset_id(asset.assetId, own), { public_id: publicId })
  }
  standIn.ui().upload({ publicId: 'film', resourceType: 'video', type: 'private' })
  const kind = { resource_type: 'video', type: 'private' }
  t.match(await sdk.api.resource('film', { ...own, ...kind }), kind)
  t.match(await refusal(sdk.api.resource('film', own)), {
    message: 'Resource not found - film',
    http_code: 404
  })
})

t.test('updates the folder of an asset, also to the root folder', async (t) => {
  const { standIn, own } = await connect(t)
  standIn.ui().upload({ publicId: 'shop/a b', assetFolder: 'old' })
  t.match(await sdk.api.update('shop/a b', { ...own, asset_folder: 'new' }), { asset_folder: 'new' })
  t.match(await sdk.api.update('shop/a b', { ...own, asset_folder: '' }), { asset_folder: '' })
  t.match(await refusal(sdk.api.update('nope', own)), { http_code: 404 })
})

t.test('requires valid credentials', async (t) => {
  const { standIn, own, colleague } = await connect(t)
  t.match(await sdk.api.ping(own), { status: 'ok' })
  t.match(await sdk.api.ping(colleague), { status: 'ok' })
  t.match(await refusal(sdk.api.ping({ ...own, api_key: '5' })), {
    message: 'unknown api_key',
    http_code: 401
  })
  t.match(await refusal(sdk.api.ping({ ...own, api_secret: 'x' })), {
    message: 'api_secret mismatch',
    http_code: 401
  })
  t.equal((await fetch(`${standIn.url}/v1_1/demo/ping`)).status, 401)
})

t.test('reports the remaining calls of the hour in each answer', async (t) => {
  let now = 3_600_000 * 10
  const { own } = await connect(t, { clock: () => now })
  t.match(await sdk.api.usage(own), { resources: 0, rate_limit_allowed: 500, rate_limit_remaining: 499 })
  t.match(await sdk.api.usage(own), {
    rate_limit_remaining: 498,
    rate_limit_reset_at: new Date(3_600_000 * 11)
  })
  now += 3_600_000
  t.match(await sdk.api.usage(own), { rate_limit_remaining: 499 })
})

t.test('refuses calls beyond the hourly limit, per cloud', async (t) => {
  let now = 3_600_000 * 10
  const other = { cloudName: 'other', apiKey: '2', apiSecret: 'b' }
  const { own } = await connect(t, {
    clock: () => now,
    adminCallsPerHour: 2,
    environments: [environment, other]
  })
  await sdk.api.ping(own)
  t.match(await sdk.api.ping(own), { rate_limit_allowed: 2, rate_limit_remaining: 0 })
  t.match(await refusal(sdk.api.ping(own)), {
    http_code: 420,
    message: /Limit of 2 api operations reached. Try again on 1970-01-01 11:00:00 UTC$/
  })
  await sdk.api.ping({ ...own, cloud_name: 'other', api_key: '2', api_secret: 'b' })
  now += 3_600_000
  t.match(await sdk.api.ping(own), { rate_limit_remaining: 1 })
})

t.test('deletes several assets, with one notification', async (t) => {
  const { standIn, own } = await connect(t, { notificationUrl: await listen(t) })
  for (const publicId of ['a', 'b']) standIn.ui().upload({ publicId })
  t.match(await sdk.api.delete_resources(['a', 'b', 'nope'], own), {
    deleted: { a: 'deleted', b: 'deleted', nope: 'not_found' },
    deleted_counts: { a: { original: 1, derived: 0 } }
  })
  const { resources } = await notification(standIn, 'delete')
  t.match(resources, [{ public_id: 'a' }, { public_id: 'b' }])
  t.match(await refusal(sdk.api.delete_resources([], own)), { http_code: 400 })
  const many = Array.from({ length: 101 }, (_, index) => `id-${index}`)
  t.match(await refusal(sdk.api.delete_resources(many, own)), { http_code: 400 })
})

t.test('pages through search results', async (t) => {
  const { standIn, own } = await connect(t)
  for (const publicId of ['a', 'b', 'c']) standIn.ui().upload({ publicId, tags: ['x'] })
  const names: string[] = []
  let cursor: string | undefined
  do {
    const query = searchFor('tags=x').sort_by('public_id', 'asc').with_field('tags').max_results(2)
    if (cursor) query.next_cursor(cursor)
    const page: Awaited<ReturnType<typeof query.execute>> = await query.execute(own)
    names.push(...page.resources.map(({ public_id }) => public_id))
    cursor = page.next_cursor
  } while (cursor)
  t.same(names, ['a', 'b', 'c'])
  t.match(await refusal(searchFor('((').execute(own)), { http_code: 400 })
  const authorization = `Basic ${Buffer.from(`${own.api_key}:${own.api_secret}`).toString('base64')}`
  const all = await fetch(`${standIn.url}/v1_1/demo/resources/search`, {
    method: 'POST',
    headers: { authorization }
  })
  t.match(await all.json(), { total_count: 3 })
})

t.test('creates, lists, updates and deletes metadata fields', async (t) => {
  const { standIn, own } = await connect(t)
  const field = { external_id: 'sku', type: 'string' as const, label: 'SKU' }
  t.match(await sdk.api.add_metadata_field(field, own), field)
  t.match(await refusal(sdk.api.add_metadata_field(field, own)), { http_code: 409 })
  // the SDK's list_metadata_fields drops its options, and with them the credentials
  const authorization = `Basic ${Buffer.from(`${own.api_key}:${own.api_secret}`).toString('base64')}`
  const listed = await fetch(`${standIn.url}/v1_1/demo/metadata_fields`, { headers: { authorization } })
  t.match(await listed.json(), { metadata_fields: [field] })
  t.match(await sdk.api.update_metadata_field('sku', { label: 'Number' }, own), { label: 'Number' })
  t.match(await sdk.api.metadata_field_by_field_id('sku', own), { label: 'Number' })
  standIn.ui().upload({ publicId: 'a', metadata: { sku: '1' } })
  t.match(await sdk.api.delete_metadata_field('sku', own), { message: 'ok' })
  t.same(standIn.assets.find('a')?.metadata, {})
  t.match(await refusal(sdk.api.metadata_field_by_field_id('sku', own)), { http_code: 404 })
})
