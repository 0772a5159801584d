import t, { type Test } from 'tap'
import { contentOf, requireCurrent } from '../../../../app/processors/csv-bulk/csv-source.ts'
import { buildCloudinary } from '../../../support/cloudinary.ts'

/** Messages of a SourceGoneError, which has no code. */
const DELETED = { message: /deleted/ }
const REPLACED = { message: /uploaded again/ }

const CONTENT = 'x'.repeat(300_000)

async function start(t: Test) {
  const { cloudinary, clients } = await buildCloudinary(t)
  const file = { publicId: 'bulk/a.csv', resourceType: 'raw' }
  const upload = (content: string) => cloudinary.as().upload({ ...file, content }).asset.version
  const source = { publicId: file.publicId, deliveryType: 'upload', version: upload(CONTENT) }
  const client = clients.for('demo', new AbortController().signal)
  return { cloudinary, client, source, upload, file }
}

t.test('yields small pieces, the first with room for a header', async (t) => {
  const { cloudinary, client, source } = await start(t)
  for (const partBytes of [undefined, 100_000]) {
    const pieces = await Array.fromAsync(contentOf(client, source, partBytes))
    t.equal(Buffer.concat(pieces).toString(), CONTENT)
    t.equal(pieces[0]?.length, 65_536)
    t.ok(pieces.every(({ length }) => length <= 65_536))
  }
  t.ok(cloudinary.calls.filter(({ action }) => action === 'download').length >= 3)
})

t.test('yields nothing for an empty file', async (t) => {
  const { client, source, upload } = await start(t)
  const version = upload('')
  t.strictSame(await Array.fromAsync(contentOf(client, { ...source, version })), [])
})

t.test('stops when the file is replaced', async (t) => {
  const { client, source, upload } = await start(t)
  const pieces = contentOf(client, source, 100_000)
  t.ok((await pieces.next()).value)
  upload(CONTENT.replaceAll('x', 'y'))
  let given = ''
  await t.rejects(async () => {
    for await (const piece of pieces) given += piece.toString()
  }, REPLACED)
  t.notMatch(given, /y/)
})

t.test('stops when the file is deleted', async (t) => {
  const { cloudinary, client, source, file } = await start(t)
  cloudinary.as().destroy(file.publicId, file)
  await t.rejects(contentOf(client, source).next(), DELETED)
})

t.test('throws a temporary error while the content is not available', async (t) => {
  const { cloudinary, client, source } = await start(t)
  cloudinary.faults.add({ kind: 'status', status: 404, action: 'download' })
  await t.rejects(contentOf(client, source).next(), { code: 'CSV_NOT_THERE_YET' })
})

t.test('rethrows temporary errors', async (t) => {
  const { cloudinary, client, source } = await start(t)
  cloudinary.faults.add({ kind: 'status', status: 500 })
  await t.rejects(contentOf(client, source).next(), { code: 'CLOUDINARY_UNAVAILABLE' })
  await t.rejects(requireCurrent(client, source), { code: 'CLOUDINARY_UNAVAILABLE' })
})

t.test('checks version and delivery type', async (t) => {
  const { cloudinary, client, source } = await start(t)
  await requireCurrent(client, source)
  await t.rejects(requireCurrent(client, { ...source, deliveryType: 'private' }), DELETED)
  const { version } = cloudinary.as().upload({
    publicId: source.publicId,
    resourceType: 'raw',
    type: 'private'
  }).asset
  await requireCurrent(client, { ...source, deliveryType: 'private', version })
})

t.test('detects another upload within the same second', async (t) => {
  const { cloudinary, client, source, file } = await start(t)
  const { etag } = cloudinary.assets.find(file.publicId, file)!
  await requireCurrent(client, { ...source, etag })
  await t.rejects(requireCurrent(client, { ...source, etag: 'of the one before' }), REPLACED)
  await requireCurrent(client, { ...source, version: source.version + 1, etag: 'not there yet' })
})
