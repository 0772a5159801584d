import t, { type Test } from 'tap'
import { expireAsset } from '../../../../app/processors/expire/expire-action.ts'
import { type ExpireOptions, Options } from '../../../../app/processors/expire/expire-options.ts'
import { buildCloudinary } from '../../../support/cloudinary.ts'

const BAG = { publicId: 'bag', resourceType: 'image', deliveryType: 'upload' }

async function build(t: Test) {
  const { cloudinary, clients } = await buildCloudinary(t)
  let before = 0
  const client = clients.for('demo', new AbortController().signal)
  return {
    cloudinary,
    client,
    /** Calls of the last run, without the one that reads the asset. */
    calls: () => cloudinary.calls.slice(before),
    bag: () => cloudinary.assets.find('bag'),
    run: async (options: ExpireOptions) => {
      const state = await client.currentState(BAG)
      before = cloudinary.calls.length
      return expireAsset(client, BAG, state, Options.parse(options))
    }
  }
}

t.test('tags, once', async (t) => {
  const { run, bag, calls } = await build(t)
  t.equal(await run({}), 'tagged "expired"')
  t.strictSame(bag()?.tags, ['leather', 'expired'])
  t.match(await run({}), /^skipped: already tagged/)
  t.equal(calls().length, 0)
})

t.test('restricts, then tags, once', async (t) => {
  const { run, bag, calls } = await build(t)
  t.equal(await run({ action: 'restrict' }), 'restricted, and tagged "expired"')
  t.strictSame(
    calls().map(({ action }) => action),
    ['explicit', 'tags']
  )
  t.match(calls()[0]?.params, { access_control: '[{"access_type":"token"}]', invalidate: '1' })
  t.strictSame(bag()?.accessControl, [{ access_type: 'token' }])
  t.match(await run({ action: 'restrict' }), /^skipped: already restricted/)
  t.equal(calls().length, 0)
})

t.test('repeats a restriction whose tag failed', async (t) => {
  const { run, bag, cloudinary } = await build(t)
  cloudinary.faults.add({ kind: 'status', status: 503, action: 'tags', count: 1 })
  await t.rejects(run({ action: 'restrict', invalidate: false }), /503/)
  t.strictSame(bag()?.tags, ['leather'])
  t.equal(await run({ action: 'restrict', invalidate: false }), 'restricted, and tagged "expired"')
})

t.test('moves, once', async (t) => {
  const { run, bag, calls } = await build(t)
  const options = { action: 'move', folder: 'archive/expired' } as const
  t.equal(await run(options), 'moved to archive/expired')
  t.equal(bag()?.assetFolder, 'archive/expired')
  t.equal(bag()?.publicId, 'bag')
  t.match(await run(options), /^skipped: already in archive\/expired/)
  t.equal(calls().length, 0)
})

t.test('says so if the cloud has fixed folders', async (t) => {
  const { client } = await build(t)
  const fixed = Object.create(client, {
    call: { value: async () => ({ public_id: 'bag' }) }
  }) as typeof client
  const state = { asset_id: 'a', public_id: 'bag', resource_type: 'image', type: 'upload' }
  const options = Options.parse({ action: 'move', folder: 'archive' })
  await t.rejects(expireAsset(fixed, BAG, state, options), {
    name: 'PermanentError',
    code: 'EXPIRE_NOT_MOVED'
  })
  t.equal(
    await expireAsset(fixed, BAG, state, Options.parse({ action: 'delete' })),
    'skipped: the asset was deleted meanwhile'
  )
})

t.test('deletes, and removes the copies in the CDN', async (t) => {
  const { run, bag, cloudinary, calls } = await build(t)
  cloudinary.as().upload({ publicId: 'bag', resourceType: 'video' })
  t.equal(await run({ action: 'delete' }), 'deleted')
  t.equal(bag(), undefined)
  t.ok(cloudinary.assets.find('bag', { resourceType: 'video' }), 'not another asset of this name')
  t.match(calls(), [{ action: 'destroy', params: { public_id: 'bag', invalidate: 'true' } }])
})
