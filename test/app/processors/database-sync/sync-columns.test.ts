import fc from 'fast-check'
import t from 'tap'
import type { AssetState } from '../../../../app/cloudinary/client.ts'
import {
  COLUMNS,
  type ColumnType,
  columnsOf,
  IDENTITY,
  sqlValue
} from '../../../../app/processors/database-sync/sync-columns.ts'
import { anyCharacter } from '../../../support/any-character.ts'

const asset = (fields: Record<string, unknown> = {}): AssetState => ({
  asset_id: 'a1',
  public_id: 'bag',
  resource_type: 'image',
  type: 'upload',
  ...fields
})

/** Returns the changed columns by name. */
const changed = (columns: unknown) =>
  new Map(columnsOf(COLUMNS.parse(columns)).map(({ name, from, type }) => [name, `${from} ${type}`]))

/** Converts a field's value for a column of this type. */
const asType = (type: ColumnType, value: unknown) =>
  sqlValue({ name: 'x', type, from: 'x' }, asset({ x: value }), 'demo')

const from = (source: string, fields: Record<string, unknown>, type: ColumnType = 'text') =>
  sqlValue({ name: 'x', type, from: source }, asset(fields), 'demo')

t.test('has five identity columns and thirteen default ones', async (t) => {
  const columns = changed(undefined)
  t.equal(columns.size, 18)
  t.match(Object.fromEntries(columns), {
    asset_id: 'asset_id text',
    environment: 'environment text',
    version: 'version bigint',
    width: 'width integer',
    duration: 'duration double precision',
    tags: 'tags text[]',
    metadata: 'metadata jsonb',
    created_at: 'created_at timestamptz'
  })
})

t.test('adds, changes and removes columns, with default types', async (t) => {
  const columns = changed({
    cms_id: 'metadata.cms_id',
    price: { from: 'metadata.price', type: 'integer' },
    size: 'bytes',
    labels: 'tags',
    tags: { from: 'tags', type: 'jsonb' },
    format: false,
    etag: 'etag'
  })
  t.match(Object.fromEntries(columns), {
    cms_id: 'metadata.cms_id text',
    price: 'metadata.price integer',
    size: 'bytes bigint',
    labels: 'tags text[]',
    tags: 'tags jsonb',
    etag: 'etag text'
  })
  t.notOk(columns.has('format'))
  t.equal(columns.size, 18 + 5 - 1)
})

t.test('rejects invalid columns', async (t) => {
  const refused: [unknown, RegExp][] = [
    [{ 'drop table': 'bytes' }, /lower-case letters/],
    [{ Cms: 'bytes' }, /lower-case letters/],
    [{ '1st': 'bytes' }, /lower-case letters/],
    [{ ['x'.repeat(64)]: 'bytes' }, /1 to 63/],
    [{ asset_id: 'etag' }, /"path":\["asset_id"\]/],
    [{ observed_at: false }, /"path":\["observed_at"\]/],
    [{ x: 'metadata.' }, /must be a field of the asset/],
    [{ x: 'info.detection' }, /must be a field of the asset/],
    [{ x: true }, /Invalid input/],
    [{ x: { from: 'bytes', type: 'money' } }, /Invalid/],
    [{ x: { from: 'bytes', type: 'text', index: true } }, /Unrecognized key/]
  ]
  for (const [columns, message] of refused) {
    const { error } = COLUMNS.safeParse(columns)
    t.match(JSON.stringify(error?.issues), message, JSON.stringify(columns))
  }
})

t.test('reads a value by its source', async (t) => {
  const fields = {
    etag: 'e1',
    metadata: { cms_id: 'c1', 'a.b': 'dotted' },
    context: { custom: { alt: 'A bag' } }
  }
  t.equal(from('environment', fields), 'demo')
  t.equal(from('etag', fields), 'e1')
  t.equal(from('metadata.cms_id', fields), 'c1')
  t.equal(from('metadata.a.b', fields), 'dotted')
  t.equal(from('context.alt', fields), 'A bag')
  t.equal(from('context.alt', { context: { alt: 'without custom' } }), 'without custom')
  t.equal(from('context.alt', { context: { custom: 'no fields' } }), null)
  t.equal(from('metadata', fields, 'jsonb'), JSON.stringify(fields.metadata))
  t.equal(from('context', fields, 'jsonb'), JSON.stringify(fields.context.custom))
})

t.test('stores missing values as null, missing tags as an empty list', async (t) => {
  for (const source of ['etag', 'metadata.cms_id', 'context.alt']) t.equal(from(source, {}), null)
  t.equal(from('metadata.cms_id', { metadata: { cms_id: null } }), null)
  t.equal(from('metadata.toString', { metadata: {} }), null, 'ignores inherited properties')
  t.equal(from('metadata', {}, 'jsonb'), '{}')
  t.equal(from('context', { context: null }, 'jsonb'), '{}')
  t.strictSame(from('tags', {}, 'text[]'), [])
})

t.test('converts values for their types', async (t) => {
  t.equal(asType('text', 12.5), '12.5')
  t.equal(asType('text', { a: [1] }), '{"a":[1]}')
  t.equal(asType('text', ''), '')
  t.equal(asType('integer', ''), null)
  t.equal(asType('bigint', 9_007_199_254_740_991), '9007199254740991')
  t.equal(asType('double precision', '1e3'), '1e3')
  t.equal(asType('boolean', true), 'true')
  t.equal(asType('timestamptz', '2026-06-01T12:00:00Z'), '2026-06-01T12:00:00Z')
  t.equal(asType('timestamptz', 1_780_315_200), '2026-06-01T12:00:00.000Z')
  t.equal(asType('timestamptz', 1e300), '1e+300', 'PostgreSQL refuses it')
  t.equal(asType('jsonb', 'text'), '"text"')
  t.strictSame(asType('text[]', ['a', 1]), ['a', '1'])
  t.strictSame(asType('text[]', 'a'), ['a'])
})

t.test('removes characters that PostgreSQL cannot store', async (t) => {
  const nasty = 'a\0\ud800b'
  t.equal(asType('text', nasty), 'a\ufffdb')
  t.strictSame(asType('text[]', [nasty]), ['a\ufffdb'])
  t.equal(asType('jsonb', { [nasty]: [nasty] }), '{"a\ufffdb":["a\ufffdb"]}')
  const anything = fc.anything({
    values: [fc.string({ unit: anyCharacter }), fc.integer(), fc.constant(null)]
  })
  fc.assert(
    fc.property(anything, fc.constantFrom<ColumnType>('text', 'jsonb', 'text[]'), (value, type) => {
      const stored = [asType(type, JSON.parse(JSON.stringify(value) ?? 'null'))].flat()
      for (const text of stored)
        t.ok(text === null || !/\0|\\u0000/.test(String(text).replaceAll('\\\\', '')))
    })
  )
})

t.test('puts the identity columns first', async (t) => {
  t.strictSame(columnsOf({}).slice(0, 5), IDENTITY)
})
