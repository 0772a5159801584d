import t, { type Test } from 'tap'
import type { Task } from '../../../../app/processors/csv-bulk/csv-task.ts'
import { runTask } from '../../../../app/processors/csv-bulk/row-operations.ts'
import { buildCloudinary } from '../../../support/cloudinary.ts'

const BAG = { publicId: 'bag', resourceType: 'image', deliveryType: 'upload' }
const OK = { outcome: 'ok', error: '' }
const GONE = { ...BAG, publicId: 'gone' }

async function start(t: Test) {
  const { cloudinary, clients } = await buildCloudinary(t)
  cloudinary.cloud().metadataFields.create({ external_id: 'note', label: 'Note', type: 'string' })
  const client = clients.for('demo', new AbortController().signal)
  const run = (task: Task) => runTask(client, task)
  return { cloudinary, run, bag: () => cloudinary.assets.find('bag') }
}

t.test('adds and removes tags, and keeps others', async (t) => {
  const { run, bag } = await start(t)
  t.strictSame(await run({ row: 2, operation: 'add_tags', asset: BAG, tags: 'a,b' }), OK)
  t.strictSame(bag()?.tags, ['leather', 'a', 'b'])
  t.strictSame(await run({ row: 3, operation: 'remove_tags', asset: BAG, tags: 'leather,a' }), OK)
  t.strictSame(bag()?.tags, ['b'])
})

t.test('sets metadata and context with any characters, and keeps others', async (t) => {
  const { cloudinary, run, bag } = await start(t)
  cloudinary.as().changeContext('bag', () => ({ caption: 'old' }))
  const value = 'a=b|c, "ü"\n\\d'
  t.strictSame(await run({ row: 2, operation: 'set_metadata', asset: BAG, values: { note: value } }), OK)
  t.strictSame(await run({ row: 3, operation: 'set_context', asset: BAG, values: { alt: value } }), OK)
  t.strictSame(bag()?.metadata, { note: value })
  t.strictSame(bag()?.context, { caption: 'old', alt: value })
})

t.test('returns `already` for a repeated rename or delete', async (t) => {
  const { cloudinary, run } = await start(t)
  const rename = { row: 2, operation: 'rename', asset: BAG, toPublicId: 'purse' } as const
  t.strictSame(await run(rename), OK)
  t.match(await run(rename), { outcome: 'already', error: /purse/ })
  const destroy = { row: 3, operation: 'delete', asset: { ...BAG, publicId: 'purse' } } as const
  t.strictSame(await run(destroy), OK)
  t.match(await run(destroy), { outcome: 'already', error: /does not exist/ })
  t.strictSame(cloudinary.assets.all(), [])
})

t.test('distinguishes assets by resource type and delivery type', async (t) => {
  const { cloudinary, run } = await start(t)
  cloudinary.as().upload({ publicId: 'bag', resourceType: 'raw', type: 'private' })
  const asset = { publicId: 'bag', resourceType: 'raw', deliveryType: 'private' }
  t.strictSame(await run({ row: 2, operation: 'rename', asset, toPublicId: 'b' }), OK)
  t.strictSame(await run({ row: 3, operation: 'delete', asset: { ...asset, publicId: 'b' } }), OK)
  t.match(cloudinary.assets.all(), [{ publicId: 'bag', resourceType: 'image' }])
})

t.test('throws CLOUDINARY_NOT_FOUND for a missing asset', async (t) => {
  const { run } = await start(t)
  const tasks: Task[] = [
    { row: 2, operation: 'add_tags', asset: GONE, tags: 'a' },
    { row: 2, operation: 'remove_tags', asset: GONE, tags: 'a' },
    { row: 2, operation: 'set_metadata', asset: GONE, values: { note: 'a' } },
    { row: 2, operation: 'set_context', asset: GONE, values: { alt: 'a' } },
    { row: 2, operation: 'rename', asset: GONE, toPublicId: 'nowhere' }
  ]
  for (const task of tasks) {
    await t.rejects(
      run(task),
      { code: 'CLOUDINARY_NOT_FOUND', failure: { kind: 'permanent' } },
      task.operation
    )
  }
  await t.rejects(run({ row: 2, operation: 'rename', asset: GONE, toPublicId: 'nowhere' }), {
    message: /^rename: 404 Resource not found - gone/
  })
})

t.test('rejects a name that is taken', async (t) => {
  const { cloudinary, run } = await start(t)
  cloudinary.as().upload({ publicId: 'taken' })
  await t.rejects(run({ row: 2, operation: 'rename', asset: BAG, toPublicId: 'taken' }), {
    code: 'CLOUDINARY_REJECTED'
  })
})

t.test('throws if it cannot tell whether a rename was done', async (t) => {
  const { cloudinary, run } = await start(t)
  cloudinary.faults.add({ kind: 'status', status: 500, action: 'explicit' })
  await t.rejects(run({ row: 2, operation: 'rename', asset: GONE, toPublicId: 'bag' }), {
    code: 'CLOUDINARY_UNAVAILABLE'
  })
})
