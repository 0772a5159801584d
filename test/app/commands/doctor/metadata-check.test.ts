import t from 'tap'
import { metadata } from '../../../../app/commands/doctor/metadata-check.ts'
import { buildCloudinary } from '../../../support/cloudinary.ts'

const signal = new AbortController().signal

t.test('checks that the fields of all processors exist, with the right type', async (t) => {
  const { clients, cloudinary } = await buildCloudinary(t)
  const processor = {
    name: 'stamp',
    on: ['upload'] as const,
    handle: () => {},
    metadataFields: [
      { external_id: 'stamp', label: 'Stamp', type: 'string' },
      { external_id: 'count', label: 'Count', type: 'integer' }
    ] as const
  }
  const check = metadata({ clients, cloudNames: ['demo'], processors: [processor] })
  cloudinary.cloud().metadataFields.create({ external_id: 'count', label: 'Count', type: 'date' })
  t.match(await check.run(signal), [
    { level: 'fault', message: /^demo: stamp \(string\) does not exist; .*setup$/ },
    { level: 'fault', message: /^demo: count \(integer\): exists with type date/ }
  ])
  cloudinary.cloud().metadataFields.create({ external_id: 'stamp', label: 'Stamp', type: 'string' })
  t.match((await check.run(signal))[0], { level: 'ok', message: 'demo: stamp (string) exists' })
})
