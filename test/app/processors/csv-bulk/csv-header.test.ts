import t from 'tap'
import { type Header, invalidHeader, readHeader } from '../../../../app/processors/csv-bulk/csv-header.ts'

t.test('reads columns in any order, and ignores whitespace around names', async (t) => {
  t.strictSame(readHeader(['tags', ' public_id ', 'operation', 'context.alt text', 'metadata.a.b']), [
    { group: 'tags', key: '' },
    { group: 'public_id', key: '' },
    { group: 'operation', key: '' },
    { group: 'context', key: 'alt text' },
    { group: 'metadata', key: 'a.b' }
  ] satisfies Header)
})

t.test('returns undefined for a column without a name', async (t) => {
  t.strictSame(
    readHeader(['operation', '', 'public_id', ' ']).map((column) => column?.group),
    ['operation', undefined, 'public_id', undefined]
  )
})

t.test('rejects unknown, duplicate and missing columns, naming the column', async (t) => {
  const refusals: [cells: string[], column: string][] = [
    [['operation', 'public_id', 'colour'], 'colour'],
    [['operation', 'public_id', 'Tags'], 'Tags'],
    [['operation', 'public_id', 'metadata.'], 'metadata.'],
    [['operation', 'public_id', 'context'], 'context'],
    [['operation', 'public_id', 'context.a=b'], 'context.a=b'],
    [['operation', 'public_id', 'x'.repeat(80)], 'x'.repeat(50)],
    [['operation', 'public_id', 'tags', 'tags'], 'tags'],
    [['operation', 'tags'], 'public_id'],
    [['public_id', 'tags'], 'operation']
  ]
  for (const [cells, column] of refusals) {
    t.throws(() => readHeader(cells), {
      name: 'PermanentError',
      code: 'CSV_HEADER_INVALID',
      message: new RegExp(`"${column}".*: operation, public_id, `)
    })
  }
  t.match(invalidHeader('empty'), { code: 'CSV_HEADER_INVALID', message: /empty/ })
})
