import t, { type Test } from 'tap'
import type { Task } from '../../../../app/processors/csv-bulk/csv-columns.ts'
import { runTask } from '../../../../app/processors/csv-bulk/row-operations.ts'
import { buildCloudinary } from '../../../support/cloudinary.ts'

const BAG = { publicId: 'bag', resourceType: 'image', deliveryType: 'upload' }
const GONE = { ...BAG, publicId: 'gone' }

async function start(t: Test) {
  const { cloudinary, clients } = await buildCloudinary(t)
  cloudinary.cloud().metadataFields.create({ external_id: 'note', label: 'Note', type: 'string' })
  const client = clients.for('demo', new AbortController().signal)
  const run = (task: Task) => runTask(client, task)
  return { cloudinary, run, bag: () => cloudinary.assets.find('bag') }
}

t.test('tags are added and removed, and others stay', async (t) => {
  const { run, bag } = await start(t)
  t.strictSame(await run({ row: 2, operation: 'add_tags', asset: BAG, tags: 'a,b' }), { outcome: 'ok' })
  t.strictSame(bag()?.tags, ['leather', 'a', 'b'])
  t.strictSame(await run({ row: 3, operation: 'remove_tags', asset: BAG, tags: 'leather,a' }), {
    outcome: 'ok'
  })
  t.strictSame(bag()?.tags, ['b'])
})

t.test('metadata and context are set, whatever characters they have, and others stay', async (t) => {
  const { cloudinary, run, bag } = await start(t)
  cloudinary.as().changeContext('bag', () => ({ caption: 'old' }))
  const value = 'a=b|c, "ü"\n\\d'
  t.strictSame(await run({ row: 2, operation: 'set_metadata', asset: BAG, values: { note: value } }), {
    outcome: 'ok'
  })
  t.strictSame(await run({ row: 3, operation: 'set_context', asset: BAG, values: { alt: value } }), {
    outcome: 'ok'
  })
  t.strictSame(bag()?.metadata, { note: value })
  t.strictSame(bag()?.context, { caption: 'old', alt: value })
})

t.test('a rename and a delete that were done before are found to be so', async (t) => {
  const { cloudinary, run } = await start(t)
  const rename = { row: 2, operation: 'rename', asset: BAG, toPublicId: 'purse' } as const
  t.strictSame(await run(rename), { outcome: 'ok' })
  t.strictSame(await run(rename), {
    outcome: 'already',
    remark: 'there is no such asset, and there is purse'
  })
  const destroy = { row: 3, operation: 'delete', asset: { ...BAG, publicId: 'purse' } } as const
  t.strictSame(await run(destroy), { outcome: 'ok' })
  t.strictSame(await run(destroy), { outcome: 'already', remark: 'there is no such asset' })
  t.strictSame(cloudinary.assets.all(), [])
})

t.test('an asset is told from others of its name by resource type and type', async (t) => {
  const { cloudinary, run } = await start(t)
  cloudinary.as().upload({ publicId: 'bag', resourceType: 'raw', type: 'private' })
  const asset = { publicId: 'bag', resourceType: 'raw', deliveryType: 'private' }
  t.strictSame(await run({ row: 2, operation: 'rename', asset, toPublicId: 'b' }), { outcome: 'ok' })
  t.strictSame(await run({ row: 3, operation: 'delete', asset: { ...asset, publicId: 'b' } }), {
    outcome: 'ok'
  })
  t.match(cloudinary.assets.all(), [{ publicId: 'bag', resourceType: 'image' }])
})

t.test('an asset that is not there is CLOUDINARY_NOT_FOUND', async (t) => {
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

t.test('a name that is taken is refused', async (t) => {
  const { cloudinary, run } = await start(t)
  cloudinary.as().upload({ publicId: 'taken' })
  await t.rejects(run({ row: 2, operation: 'rename', asset: BAG, toPublicId: 'taken' }), {
    code: 'CLOUDINARY_REJECTED'
  })
})

t.test('whether a rename was done is not guessed while Cloudinary does not say', async (t) => {
  const { cloudinary, run } = await start(t)
  cloudinary.faults.add({ kind: 'status', status: 500, action: 'explicit' })
  await t.rejects(run({ row: 2, operation: 'rename', asset: GONE, toPublicId: 'bag' }), {
    code: 'CLOUDINARY_UNAVAILABLE'
  })
})
