import t from 'tap'
import { readHeader } from '../../../../app/processors/csv-bulk/csv-header.ts'
import { OPERATIONS, readRow } from '../../../../app/processors/csv-bulk/csv-task.ts'

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

/** Reads a row with these cells, by column. */
const read = (cells: Record<string, string>, allowed: Parameters<typeof readRow>[2] = OPERATIONS) =>
  readRow({ row: 7, cells: HEADER.map((name) => cells[name] ?? '') }, header, allowed)

const errorOf = (cells: Record<string, string>, allowed?: Parameters<typeof readRow>[2]) => {
  const row = read(cells, allowed)
  return 'error' in row ? row.error : undefined
}

const IMAGE = { publicId: 'a', resourceType: 'image', deliveryType: 'upload' }

t.test('reads the argument of each operation', async (t) => {
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

t.test('reads resource type and delivery type', async (t) => {
  const cells = { operation: ' delete ', public_id: ' a/b ', resource_type: 'video', type: 'authenticated' }
  t.match(read(cells), {
    asset: { publicId: 'a/b', resourceType: 'video', deliveryType: 'authenticated' }
  })
})

t.test('accepts missing cells at the end', async (t) => {
  t.match(readRow({ row: 2, cells: ['delete', 'a'] }, header, OPERATIONS), {
    operation: 'delete',
    asset: IMAGE
  })
})

t.test('explains why a row is invalid', async (t) => {
  const about = { operation: 'add_tags', public_id: 'a', tags: 'x' }
  t.match(errorOf({ ...about, operation: 'explode' }), /^operation .* add_tags, .*delete$/)
  t.match(errorOf({ ...about, operation: '' }), /^operation .* add_tags/)
  t.equal(errorOf({ ...about, operation: 'delete' }, ['add_tags']), 'operation must be one of add_tags')
  t.equal(errorOf({ ...about, public_id: ' ' }), 'public_id is empty')
  t.equal(errorOf({ ...about, resource_type: 'gif' }), 'resource_type must be one of image, video, raw')
  t.match(errorOf({ ...about, type: 'Upload!' }), /^type must be/)
  t.equal(errorOf({ ...about, tags: ' , ,' }), 'add_tags needs tags')
  t.equal(errorOf({ operation: 'rename', public_id: 'a' }), 'rename needs to_public_id')
  t.equal(errorOf({ operation: 'set_metadata', public_id: 'a' }), 'set_metadata needs metadata')
  t.equal(errorOf({ operation: 'delete', public_id: 'a', tags: 'x' }), 'delete does not take tags')
  t.equal(errorOf({ ...about, 'context.alt': 'x' }), 'add_tags does not take context')
})

t.test('returns operation and public id of an invalid row', async (t) => {
  t.strictSame(read({ operation: 'explode', public_id: 'a' }, ['delete']), {
    row: 7,
    operation: 'explode',
    publicId: 'a',
    error: 'operation must be one of delete'
  })
  t.match(read({}), { operation: '', publicId: '' })
})

t.test('rejects content in a cell without a column', async (t) => {
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
      error: /^cell 5 has no column/
    })
  }
  const gap = readHeader(['operation', '', 'public_id', 'tags'])
  t.match(readRow({ row: 2, cells: ['add_tags', '', 'a', 'sale'] }, gap, OPERATIONS), {
    asset: IMAGE,
    tags: 'sale'
  })
  t.match(readRow({ row: 2, cells: ['add_tags', 'x', 'a', 'sale'] }, gap, OPERATIONS), {
    error: /^cell 2 has no column/
  })
})

t.test('rejects values that the SDK cannot escape', async (t) => {
  for (const value of ['C:\\', 'a\\=b', 'a\\|b']) {
    t.match(
      errorOf({ operation: 'set_context', public_id: 'a', 'context.alt': value }),
      /^alt: a value cannot have a backslash/,
      value
    )
  }
})

t.test('returns only the error of an unreadable row', async (t) => {
  t.strictSame(readRow({ row: 2, cells: ['delete', 'a'], error: 'torn' }, header, OPERATIONS), {
    row: 2,
    operation: '',
    publicId: '',
    error: 'torn'
  })
})

t.test('accepts any name of a field', async (t) => {
  const row = readRow(
    { row: 2, cells: ['set_metadata', 'a', 'x'] },
    readHeader(['operation', 'public_id', 'metadata.__proto__']),
    OPERATIONS
  )
  t.strictSame(Object.entries('values' in row ? row.values : {}), [['__proto__', 'x']])
})
