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

t.test('the content comes in small pieces, of which the first has room for a header', async (t) => {
  const { cloudinary, client, source } = await start(t)
  for (const partBytes of [undefined, 100_000]) {
    const pieces = await Array.fromAsync(contentOf(client, source, partBytes))
    t.equal(Buffer.concat(pieces).toString(), CONTENT)
    t.equal(pieces[0]?.length, 65_536)
    t.ok(pieces.every(({ length }) => length <= 65_536))
  }
  t.ok(cloudinary.calls.filter(({ action }) => action === 'download').length >= 3)
})

t.test('an empty file has no pieces', async (t) => {
  const { client, source, upload } = await start(t)
  const version = upload('')
  t.strictSame(await Array.fromAsync(contentOf(client, { ...source, version })), [])
})

t.test('once it is uploaded anew, nothing more of it is given: it might be of the other', async (t) => {
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

t.test('once it is deleted, nothing more of it is given', async (t) => {
  const { cloudinary, client, source, file } = await start(t)
  cloudinary.as().destroy(file.publicId, file)
  await t.rejects(contentOf(client, source).next(), DELETED)
})

t.test('a file whose content is not there yet is waited for', async (t) => {
  const { cloudinary, client, source } = await start(t)
  cloudinary.faults.add({ kind: 'status', status: 404, action: 'download' })
  await t.rejects(contentOf(client, source).next(), { code: 'CSV_NOT_THERE_YET' })
})

t.test('what may pass is thrown as it is', async (t) => {
  const { cloudinary, client, source } = await start(t)
  cloudinary.faults.add({ kind: 'status', status: 500 })
  await t.rejects(contentOf(client, source).next(), { code: 'CLOUDINARY_UNAVAILABLE' })
  await t.rejects(requireCurrent(client, source), { code: 'CLOUDINARY_UNAVAILABLE' })
})

t.test('the version is the one that the event tells of, of its own delivery type', async (t) => {
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

t.test('another upload of the same second is another file', async (t) => {
  const { cloudinary, client, source, file } = await start(t)
  const { etag } = cloudinary.assets.find(file.publicId, file)!
  await requireCurrent(client, { ...source, etag })
  await t.rejects(requireCurrent(client, { ...source, etag: 'of the one before' }), REPLACED)
  await requireCurrent(client, { ...source, version: source.version + 1, etag: 'not there yet' })
})
