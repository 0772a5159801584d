import t from 'tap'
import {
  type Header,
  invalidHeader,
  OPERATIONS,
  readHeader,
  readRow
} from '../../../../app/processors/csv-bulk/csv-task.ts'

const HEADER = [
  'operation',
  'public_id',
  'resource_type',
  'type',
  'tags',
  'to_public_id',
  'metadata.cms_id',
  'metadata.note',
  'context.alt'
]

const header = readHeader(HEADER)

/** Reads a row that has these cells, by their columns' names. */
const read = (cells: Record<string, string>, allowed: Parameters<typeof readRow>[2] = OPERATIONS) =>
  readRow({ row: 7, cells: HEADER.map((name) => cells[name] ?? '') }, header, allowed)

const faultOf = (cells: Record<string, string>, allowed?: Parameters<typeof readRow>[2]) => {
  const row = read(cells, allowed)
  return 'fault' in row ? row.fault : undefined
}

const IMAGE = { publicId: 'a', resourceType: 'image', deliveryType: 'upload' }

t.test('a header names its columns in any order, and space around a name is none of it', async (t) => {
  t.strictSame(readHeader(['tags', ' public_id ', 'operation', 'context.alt text', 'metadata.a.b']), [
    { group: 'tags', key: '' },
    { group: 'public_id', key: '' },
    { group: 'operation', key: '' },
    { group: 'context', key: 'alt text' },
    { group: 'metadata', key: 'a.b' }
  ] satisfies Header)
})

t.test('a header that cannot be used is refused, naming the column and what is allowed', async (t) => {
  const refusals: [string[], RegExp][] = [
    [['operation', 'public_id', 'colour'], /"colour" is no column that is known/],
    [['operation', 'public_id', 'Tags'], /"Tags" is no column/],
    [['operation', 'public_id', 'metadata.'], /"metadata\." is no column/],
    [['operation', 'public_id', 'context'], /"context" is no column/],
    [['operation', 'public_id', 'context.a=b'], /"context\.a=b" is no column/],
    [['operation', 'public_id', 'x'.repeat(80)], /"x{50}" is no column/],
    [['operation', 'public_id', 'tags', 'tags'], /the column "tags" is there twice/],
    [['operation', 'tags'], /there is no column "public_id"/],
    [['public_id', 'tags'], /there is no column "operation"/]
  ]
  for (const [cells, message] of refusals) {
    t.throws(() => readHeader(cells), { name: 'PermanentError', code: 'CSV_HEADER_INVALID', message })
    t.throws(() => readHeader(cells), {
      message: /The first row must name the columns: operation, public_id, /
    })
  }
  t.match(invalidHeader('it is empty').message, /^The file is not run: it is empty\. /)
})

t.test('each operation takes its own argument', async (t) => {
  const task = { row: 7, asset: IMAGE }
  const about = (operation: string, cells: Record<string, string>) =>
    read({ operation, public_id: 'a', ...cells })
  t.strictSame(about('add_tags', { tags: ' sale , summer,,' }), {
    ...task,
    operation: 'add_tags',
    tags: 'sale,summer'
  })
  t.strictSame(about('remove_tags', { tags: 'sale' }), { ...task, operation: 'remove_tags', tags: 'sale' })
  t.strictSame(about('set_metadata', { 'metadata.cms_id': '1', 'metadata.note': ' n ' }), {
    ...task,
    operation: 'set_metadata',
    values: { cms_id: '1', note: ' n ' }
  })
  t.strictSame(about('set_metadata', { 'metadata.note': 'a=b|c\\d' }), {
    ...task,
    operation: 'set_metadata',
    values: { note: 'a=b|c\\d' }
  })
  t.strictSame(about('set_context', { 'context.alt': 'A bag' }), {
    ...task,
    operation: 'set_context',
    values: { alt: 'A bag' }
  })
  t.strictSame(about('rename', { to_public_id: ' b ' }), { ...task, operation: 'rename', toPublicId: 'b' })
  t.strictSame(about('delete', {}), { ...task, operation: 'delete' })
})

t.test('an asset is named by resource type and type too', async (t) => {
  const cells = { operation: ' delete ', public_id: ' a/b ', resource_type: 'video', type: 'authenticated' }
  t.match(read(cells), {
    asset: { publicId: 'a/b', resourceType: 'video', deliveryType: 'authenticated' }
  })
})

t.test('cells at the end may be left out', async (t) => {
  t.match(readRow({ row: 2, cells: ['delete', 'a'] }, header, OPERATIONS), {
    operation: 'delete',
    asset: IMAGE
  })
})

t.test('a row that asks for nothing that could be done says why', async (t) => {
  const about = { operation: 'add_tags', public_id: 'a', tags: 'x' }
  t.match(faultOf({ ...about, operation: 'explode' }), /^its operation must be one of add_tags, .*delete$/)
  t.match(faultOf({ ...about, operation: '' }), /^its operation must be one of/)
  t.equal(faultOf({ ...about, operation: 'delete' }, ['add_tags']), 'its operation must be one of add_tags')
  t.equal(faultOf({ ...about, public_id: ' ' }), 'public_id is empty')
  t.equal(faultOf({ ...about, resource_type: 'gif' }), 'resource_type must be one of image, video, raw')
  t.match(faultOf({ ...about, type: 'Upload!' }), /^type must be upload/)
  t.equal(faultOf({ ...about, tags: ' , ,' }), 'add_tags needs tags')
  t.equal(faultOf({ operation: 'rename', public_id: 'a' }), 'rename needs to_public_id')
  t.equal(faultOf({ operation: 'set_metadata', public_id: 'a' }), 'set_metadata needs metadata')
  t.equal(faultOf({ operation: 'delete', public_id: 'a', tags: 'x' }), 'delete takes no tags')
  t.equal(faultOf({ ...about, 'context.alt': 'x' }), 'add_tags takes no context')
})

t.test('a bad row is told with what it says of itself', async (t) => {
  t.strictSame(read({ operation: 'explode', public_id: 'a' }, ['delete']), {
    row: 7,
    operation: 'explode',
    publicId: 'a',
    fault: 'its operation must be one of delete'
  })
  t.match(read({}), { operation: '', publicId: '' })
})

t.test(
  'a cell without a column is bad unless it is empty: a separator may have torn one in two',
  async (t) => {
    const about = ['add_tags', 'a', 'sale']
    for (const names of [
      ['operation', 'public_id', 'tags'],
      ['operation', 'public_id', 'tags', '', ' ']
    ]) {
      const short = readHeader(names)
      t.match(readRow({ row: 2, cells: [...about, '', ' ', ''] }, short, OPERATIONS), {
        operation: 'add_tags',
        tags: 'sale'
      })
      t.match(readRow({ row: 2, cells: [...about, '', 'summer'] }, short, OPERATIONS), {
        fault: /^cell 5 has no column/
      })
    }
    const gap = readHeader(['operation', '', 'public_id', 'tags'])
    t.match(readRow({ row: 2, cells: ['add_tags', '', 'a', 'sale'] }, gap, OPERATIONS), {
      asset: IMAGE,
      tags: 'sale'
    })
    t.match(readRow({ row: 2, cells: ['add_tags', 'x', 'a', 'sale'] }, gap, OPERATIONS), {
      fault: /^cell 2 has no column/
    })
  }
)

t.test('a value that the SDK could not send as it is is refused', async (t) => {
  for (const value of ['C:\\', 'a\\=b', 'a\\|b']) {
    t.match(
      faultOf({ operation: 'set_context', public_id: 'a', 'context.alt': value }),
      /^alt: a value cannot have a backslash/,
      value
    )
  }
})

t.test('a row that cannot be read says why, and nothing else of itself', async (t) => {
  t.strictSame(readRow({ row: 2, cells: ['delete', 'a'], fault: 'torn' }, header, OPERATIONS), {
    row: 2,
    operation: '',
    publicId: '',
    fault: 'torn'
  })
})

t.test('a field may have any name', async (t) => {
  const row = readRow(
    { row: 2, cells: ['set_metadata', 'a', 'x'] },
    readHeader(['operation', 'public_id', 'metadata.__proto__']),
    OPERATIONS
  )
  t.strictSame(Object.entries('values' in row ? row.values : {}), [['__proto__', 'x']])
})
