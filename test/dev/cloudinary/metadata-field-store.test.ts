import t from 'tap'
import { type MetadataField, MetadataFields } from '../../../dev/cloudinary/metadata-field-store.ts'

const colours = {
  values: [{ external_id: 'red', value: 'Red' }, { value: 'Green' }]
} as MetadataField['datasource']

t.test('creates, reads, updates and deletes a field', async (t) => {
  const fields = new MetadataFields()
  const created = fields.create({ external_id: 'sku', label: 'SKU', type: 'string' })
  t.same(created, {
    type: 'string',
    external_id: 'sku',
    label: 'SKU',
    mandatory: false,
    default_value: null,
    validation: null
  })
  t.same(fields.get('sku'), created)
  fields.update('sku', { label: 'Number', type: 'integer' })
  t.match(fields.list(), [{ label: 'Number', type: 'string' }])
  t.throws(() => fields.create({ external_id: 'sku', label: 'x', type: 'string' }), {
    name: 'ApiError',
    status: 409
  })
  fields.delete('sku')
  t.throws(() => fields.get('sku'), { status: 404, message: "External ID sku doesn't exist" })
  t.throws(() => fields.delete('sku'), { name: 'ApiError', status: 404 })
})

t.test('requires a complete definition, and generates missing IDs', async (t) => {
  const fields = new MetadataFields()
  t.throws(() => fields.create({ label: 'x' }), { name: 'ApiError', status: 400 })
  t.throws(() => fields.create({ label: 'x', type: 'datetime' as never }), { name: 'ApiError', status: 400 })
  t.throws(() => fields.create({ type: 'string' }), { name: 'ApiError', status: 400 })
  t.throws(() => fields.create({ label: 'x', type: 'enum' }), { name: 'ApiError', status: 400 })
  const field = fields.create({ label: 'x', type: 'set', datasource: colours })
  t.match(field.external_id, /^[0-9a-f]{20}$/)
  t.match(field.datasource?.values, [
    { external_id: 'red' },
    { external_id: /^[0-9a-f]{20}$/, state: 'active' }
  ])
})

t.test('converts a value to the type of its field, or refuses it', async (t) => {
  const fields = new MetadataFields()
  for (const type of ['string', 'integer', 'date'] as const)
    fields.create({ external_id: type, label: type, type })
  for (const type of ['enum', 'set'] as const) {
    fields.create({ external_id: type, label: type, type, datasource: colours })
  }
  t.same(fields.parse({ string: 'a', integer: '-7', date: '2024-02-29', enum: 'red', set: '["red"]' }), {
    string: 'a',
    integer: -7,
    date: '2024-02-29',
    enum: 'red',
    set: ['red']
  })
  t.same(fields.parse({ integer: 7, set: ['red'] }), { integer: 7, set: ['red'] })
  t.same(fields.parse({ set: 'red' }), { set: ['red'] })
  const wrong = {
    string: [1, ['a']],
    integer: ['x', '1.5', 1.5],
    date: ['2024-13-01', '2024-01-01T00:00:00Z', 1],
    enum: ['Red', 1],
    set: ['["red","blue"]', '[red', 1, [1]]
  }
  for (const [field, values] of Object.entries(wrong)) {
    for (const value of values)
      t.throws(() => fields.parse({ [field]: value }), { name: 'ApiError', status: 400 })
  }
  t.throws(() => fields.parse({ nope: 'a' }), { status: 400, message: /nope doesn't exist/ })
})

t.test('an empty value clears a field, unless the field is mandatory', async (t) => {
  const fields = new MetadataFields()
  fields.create({ external_id: 'a', label: 'a', type: 'string' })
  fields.create({ external_id: 'b', label: 'b', type: 'string', mandatory: true })
  t.same(fields.parse({ a: '' }), { a: null })
  t.same(fields.parse({ a: null }), { a: null })
  t.throws(() => fields.parse({ b: '' }), { status: 400, message: /mandatory/ })
})
