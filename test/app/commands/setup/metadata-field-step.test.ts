import t from 'tap'
import { fieldStep, neededFields } from '../../../../app/commands/setup/metadata-field-step.ts'
import type { MetadataFieldDefinition, Processor } from '../../../../app/listener.ts'
import { buildCloudinary } from '../../../support/cloudinary.ts'

const STAMP: MetadataFieldDefinition = { external_id: 'stamp', label: 'Stamp', type: 'string' }

const processor = (metadataFields?: MetadataFieldDefinition[]): Processor => ({
  name: 'p',
  on: ['upload'],
  handle: () => {},
  ...(metadataFields && { metadataFields })
})

t.test('lists a field that several processors need once for each type', (t) => {
  const other: MetadataFieldDefinition = { ...STAMP, type: 'integer' }
  const fields = neededFields([processor(), processor([STAMP]), processor([{ ...STAMP, label: 'x' }, other])])
  t.strictSame(fields, [STAMP, other])
  t.end()
})

t.test('creates a missing field, and reports one of another type', async (t) => {
  const { clients } = await buildCloudinary(t)
  const client = clients.for('demo', new AbortController().signal)
  const step = await fieldStep(client, STAMP)
  t.match(step, { subject: 'field', what: 'stamp (string)', state: 'create' })
  if ('apply' in step) await step.apply()
  t.match(await fieldStep(client, STAMP), { state: 'exists' })
  t.match(await fieldStep(client, { ...STAMP, type: 'integer' }), {
    what: 'stamp (integer)',
    state: 'fault',
    note: /type string.*listener\.config\.ts/
  })
})
