import t from 'tap'
import { createField, fieldTypeOf } from '../../../app/cloudinary/metadata-fields.ts'
import { buildCloudinary } from '../../support/cloudinary.ts'

t.test('creates a field and reads its type', async (t) => {
  const { clients } = await buildCloudinary(t)
  const client = clients.for('demo', new AbortController().signal)
  t.equal(await fieldTypeOf(client, 'stamp'), undefined)
  await createField(client, { external_id: 'stamp', label: 'Stamp', type: 'integer' })
  t.equal(await fieldTypeOf(client, 'stamp'), 'integer')
  await t.rejects(createField(client, { external_id: 'stamp', label: 'Stamp', type: 'integer' }), {
    code: 'CLOUDINARY_REJECTED',
    status: 409
  })
})

t.test('throws if a field cannot be read', async (t) => {
  const { clients, cloudinary } = await buildCloudinary(t)
  cloudinary.faults.add({ kind: 'status', status: 503 })
  const client = clients.for('demo', new AbortController().signal)
  await t.rejects(fieldTypeOf(client, 'stamp'), { code: 'CLOUDINARY_UNAVAILABLE' })
})
