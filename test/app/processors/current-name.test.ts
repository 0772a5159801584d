import t from 'tap'
import type { Asset } from '../../../app/ingest/event.ts'
import { ASSET_DELETED, byCurrentName, checkIdentity } from '../../../app/processors/current-name.ts'
import { buildCloudinary } from '../../support/cloudinary.ts'

const { cloudinary: standIn, clients } = await buildCloudinary(t)
const client = clients.for('demo', new AbortController().signal)
const { asset } = standIn.as().upload({ publicId: 'bag', resourceType: 'video' })
const BAG: Asset = { assetId: asset.assetId, publicId: 'bag', resourceType: 'video', deliveryType: 'upload' }

const tag = (named: Asset) => client.addTag(named, 'new').then(() => `tagged ${named.publicId}`)

t.test('does not look up an asset with its original name', async (t) => {
  t.equal(await byCurrentName(client, BAG, tag), 'tagged bag')
  t.strictSame(
    standIn.calls.map(({ action }) => action),
    ['tags']
  )
})

t.test('finds a renamed asset', async (t) => {
  standIn.ui().rename('bag', 'shop/bag', { resourceType: 'video' })
  t.equal(await byCurrentName(client, BAG, tag), 'tagged shop/bag')
})

t.test('finds an asset whose name belongs to another one now', async (t) => {
  const other = standIn.as().upload({ publicId: 'bag', resourceType: 'video' }).asset
  const read = async (named: Asset) => {
    const state = await client.currentState(named)
    checkIdentity(named, state)
    return state.public_id
  }
  t.equal(await byCurrentName(client, BAG, read), 'shop/bag')
  const { assetId, ...unidentified } = BAG
  t.equal(await byCurrentName(client, unidentified, read), 'bag', 'returns any asset with the name')
  t.equal(await byCurrentName(client, { ...BAG, assetId: other.assetId }, read), 'bag')
  standIn.ui().destroy('bag', { resourceType: 'video' })
})

t.test('throws other errors, and a second CLOUDINARY_NOT_FOUND', async (t) => {
  const refused = new Error('refused')
  await t.rejects(
    byCurrentName(client, BAG, () => Promise.reject(refused)),
    refused
  )
  standIn.faults.add({ kind: 'status', status: 404, action: 'tags', count: 2 })
  await t.rejects(byCurrentName(client, BAG, tag), { code: 'CLOUDINARY_NOT_FOUND' })
})

t.test('throws for an asset without an id', async (t) => {
  const { assetId, ...nameless } = BAG
  await t.rejects(byCurrentName(client, nameless, tag), { code: 'CLOUDINARY_NOT_FOUND' })
})

t.test('returns a note for a deleted asset', async (t) => {
  standIn.ui().destroy('shop/bag', { resourceType: 'video' })
  t.equal(await byCurrentName(client, BAG, tag), ASSET_DELETED)
})

t.test('looks up an unknown kind, and does not confuse assets', async (t) => {
  const { asset } = standIn.as().upload({ publicId: 'clip', resourceType: 'video' })
  const image = standIn.as().upload({ publicId: 'clip', resourceType: 'image' }).asset
  t.equal(await byCurrentName(client, { assetId: asset.assetId, publicId: 'clip' }, tag), 'tagged clip')
  t.strictSame([asset.tags, image.tags], [['new'], []])
  t.equal(await byCurrentName(client, { assetId: 'gone', publicId: 'clip' }, tag), ASSET_DELETED)
  await t.rejects(byCurrentName(client, { publicId: 'clip' }, tag), { code: 'ASSET_KIND_UNKNOWN' })
  t.strictSame(image.tags, [])
})
