import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { Dialect } from '../../../../app/processors/csv-bulk/csv-dialect.ts'
import { readHeader } from '../../../../app/processors/csv-bulk/csv-header.ts'
import { NOT_UTF8, type Row, rowsOf } from '../../../../app/processors/csv-bulk/csv-rows.ts'
import { OPERATIONS, readRow } from '../../../../app/processors/csv-bulk/csv-task.ts'

/** Yields pieces of `size` bytes; the first contains the header. */
async function* inPieces(content: string | Buffer, size: number, first = size): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(content)
  yield bytes.subarray(0, first)
  for (let at = first; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** Reads a file that arrives in pieces. */
async function read(content: string | Buffer, size = 65_536, first = size) {
  const rows: Row[] = []
  let dialect: Dialect | undefined
  for await (const row of rowsOf(inPieces(content, size, first), (found) => {
    dialect = found
  })) {
    rows.push(row)
  }
  return { rows, dialect, cells: rows.map(({ cells }) => cells) }
}

t.test('numbers rows like a spreadsheet and skips empty ones', async (t) => {
  const { rows } = await read('\noperation,public_id\ndelete,a\n\n, ,"\n"\n"delete","b\nc"\ndelete,d')
  t.strictSame(rows, [
    { row: 2, cells: ['operation', 'public_id'] },
    { row: 3, cells: ['delete', 'a'] },
    { row: 6, cells: ['delete', 'b\nc'] },
    { row: 7, cells: ['delete', 'd'] }
  ])
})

t.test('accepts mixed line endings, and trims them from cells', async (t) => {
  const { rows } = await read('operation,public_id\nA,1\r\nB,2\rC,"3"\r\r\nD,"4\r\n"\r\n"\nE","\r\n5\r"')
  t.strictSame(rows, [
    { row: 1, cells: ['operation', 'public_id'] },
    { row: 2, cells: ['A', '1'] },
    { row: 3, cells: ['B', '2'] },
    { row: 4, cells: ['C', '3'] },
    { row: 5, cells: ['D', '4'] },
    { row: 6, cells: ['E', '5'] }
  ])
  t.strictSame((await read('operation,public_id\r\nA,1\nB,2\n')).cells.slice(1), [
    ['A', '1'],
    ['B', '2']
  ])
})

t.test('reads the separator from the first line', async (t) => {
  const { rows, dialect } = await read('sep=^\r\noperation^public_id\r\ndelete^a,b;c\r\n')
  t.strictSame(rows, [
    { row: 1, cells: ['operation', 'public_id'] },
    { row: 2, cells: ['delete', 'a,b;c'] }
  ])
  t.strictSame(dialect, { delimiter: '^', bom: false })
})

t.test('reads UTF-16 with a byte order mark', async (t) => {
  const text = '\uFEFFoperation\tpublic_id\r\ndelete\tgröße 😀\r\n'
  const little = Buffer.from(text, 'utf16le')
  for (const content of [Buffer.from(text), little, Buffer.from(little).swap16()]) {
    const { rows, dialect } = await read(content, 1, 60)
    t.strictSame(rows, [
      { row: 1, cells: ['operation', 'public_id'] },
      { row: 2, cells: ['delete', 'größe 😀'] }
    ])
    t.strictSame(dialect, { delimiter: '\t', bom: true })
  }
})

t.test('reports undecodable text in its row', async (t) => {
  const latin1 = Buffer.from('operation,public_id\ndelete,größe\ndelete,a\n', 'latin1')
  t.match((await read(latin1)).rows, [
    { error: undefined },
    { row: 2, error: NOT_UTF8 },
    { cells: ['delete', 'a'], error: undefined }
  ])
  const header = Buffer.from('operation,public_id,context.größe\ndelete,a\n', 'latin1')
  t.match((await read(header)).rows, [{ error: NOT_UTF8 }, { error: undefined }])
  const unmarked = Buffer.from('operation,public_id\n', 'utf16le')
  t.match((await read(unmarked)).rows[0], { error: NOT_UTF8 })
  const torn = Buffer.concat([Buffer.from('a,b\nc,'), Buffer.from('é').subarray(0, 1)])
  t.match((await read(torn)).rows, [{}, { error: NOT_UTF8 }])
  t.match((await read(Buffer.from('\uFEFFa\tb\n\uD800\tc', 'utf16le'))).rows, [{}, { error: NOT_UTF8 }])
  t.match(
    (await read('a,b\nM\uFFFDnchen,c')).rows,
    [{}, { error: NOT_UTF8 }],
    'already undecodable at the source'
  )
})

t.test('returns no rows for an empty file', async (t) => {
  t.strictSame((await read('')).rows, [])
  async function* nothing() {}
  t.strictSame(await Array.fromAsync(rowsOf(nothing(), () => {})), [])
})

t.test('keeps quotes within a cell', async (t) => {
  const { rows } = await read('a,b\n5" disc,"say ""hi"""\n"""x""",y\n')
  t.strictSame(rows.slice(1), [
    { row: 2, cells: ['5" disc', 'say "hi"'] },
    { row: 3, cells: ['"x"', 'y'] }
  ])
})

t.test('reports a misplaced quote and reads the next row', async (t) => {
  const { rows } = await read('a,b\r\n"x"y,1\r\nz,2\r\n')
  t.match(rows.slice(1), [
    { row: 2, error: /closing quote/ },
    { row: 3, cells: ['z', '2'], error: undefined }
  ])
})

t.test('stops at a quote that is not closed', async (t) => {
  const { rows } = await read('a,b\n1,2\n3,"4\n5,6\n')
  t.match(rows, [
    { row: 1, isLast: undefined },
    { row: 2, cells: ['1', '2'], error: undefined },
    { row: 3, cells: [], error: /not closed/, isLast: true }
  ])
  t.equal(rows.length, 3)
})

t.test('stops at a row that is too long', async (t) => {
  const long = (bytes: number) => `a,b\n1,2\n3,"${'é'.repeat(bytes / 2)}"\n5,6\n`
  for (const size of [1000, 65_536, 1_000_000]) {
    t.match((await read(long(65_600), size)).rows, [
      { row: 1 },
      { row: 2, error: undefined },
      { row: 3, error: /longer than 64 KiB/, isLast: true }
    ])
    t.equal((await read(long(65_600), size)).rows.length, 3)
    t.match((await read(long(65_500), size)).rows, [{}, {}, { error: undefined }, { cells: ['5', '6'] }])
  }
})

t.test('stops reading content without an end', async (t) => {
  for (const [start, byte, count] of [
    ['', 'x', 1],
    ['a,b\n1,2\n', ',', 3],
    ['a,b\n1,2\n3,"', '\n', 3]
  ] as const) {
    let read = 0
    async function* endless() {
      yield Buffer.from(start)
      for (;;) {
        read += 16_384
        yield Buffer.alloc(16_384, byte)
      }
    }
    const rows = await Array.fromAsync(rowsOf(endless(), () => {}))
    t.equal(rows.length, count)
    t.match(rows.at(-1), { row: count, isLast: true, error: /longer than 64 KiB/ })
    t.ok(read < 300_000, `${read} bytes were read`)
  }
})

t.test('handles a cell full of line breaks in linear time', async (t) => {
  const cell = `a${'\n'.repeat(65_000)}b`
  const { cells } = await read(`a,b\n1,"${cell}"\n`)
  t.strictSame(cells[1], ['1', cell])
})

t.test('throws errors of the content and closes it', async (t) => {
  let closed = 0
  async function* failing() {
    try {
      yield Buffer.from('a,b\n')
      throw new Error('the connection broke')
    } finally {
      closed++
    }
  }
  await t.rejects(Array.fromAsync(rowsOf(failing(), () => {})), /the connection broke/)
  t.equal(closed, 1)
})

t.test('closes the content when the reader stops', async (t) => {
  const closed = Promise.withResolvers<void>()
  async function* endless() {
    try {
      for (;;) yield Buffer.from('a,b\n')
    } finally {
      closed.resolve()
    }
  }
  const rows = rowsOf(endless(), () => {})
  t.match((await rows.next()).value, { row: 1, cells: ['a', 'b'] })
  await rows.return()
  await closed.promise
})

/** Number of random tables: `CSV_TABLES=10000` for a long run. */
const TABLES = Number(process.env.CSV_TABLES ?? 300)
const ENDINGS = ['\n', '\r\n', '\r', '\r\r\n']
const NAMES = ['tags', 'metadata.sku', 'context.größe', 'context.a,b', 'context.c;d', 'metadata.e"f']

const rarely = fc.integer({ min: 0, max: 5 }).map((number) => number === 0)
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '"',
        '""',
        '\n',
        '\r',
        '\r\n',
        ',',
        ';',
        '\t',
        '|',
        '^',
        ' ',
        'é',
        '😀',
        'sep=;',
        '\uFEFF'
      ),
      fc.string({ unit: 'grapheme', maxLength: 5 })
    ),
    { maxLength: 4 }
  )
  .map((parts) => parts.join('').replace(/[\0\uFFFD]/g, ''))

/** A cell, quoted where necessary, and sometimes otherwise. */
const cellOf = fc.record({ value: text, isQuoted: fc.boolean() })
/** A line: empty lines before it, padding, and its ending. */
const line = fc.record({
  before: fc.array(
    fc.record({ empty: fc.constantFrom('', ' ', 'D', 'D D', '""D""'), end: fc.constantFrom(...ENDINGS) }),
    { maxLength: 2 }
  ),
  after: fc.constantFrom('', '', 'D', 'DDD', 'D D""'),
  end: fc.constantFrom(...ENDINGS)
})
const table = fc
  .record({
    names: fc.shuffledSubarray(NAMES).chain((more) =>
      fc.shuffledSubarray(['operation', 'public_id', ...more], {
        minLength: more.length + 2
      })
    ),
    isSeparatorNamed: rarely,
    delimiter: fc.constantFrom(',', ';', '\t', '|'),
    oddDelimiter: fc.constantFrom('^', ' ', '§', ','),
    encoding: fc.constantFrom('utf8', 'utf8 with mark', 'utf16le', 'utf16be'),
    header: fc.record({ line, isQuoted: fc.boolean() }),
    rows: fc.array(fc.record({ line, cells: fc.array(cellOf, { minLength: 1, maxLength: 8 }) }), {
      maxLength: 6
    }),
    isLastEnded: fc.boolean(),
    sizes: fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat({ max: 100 }))
  })
  .map(({ isSeparatorNamed, delimiter, oddDelimiter, ...rest }) => ({
    ...rest,
    isSeparatorNamed,
    delimiter: isSeparatorNamed ? oddDelimiter : delimiter
  }))

type Table = typeof table extends fc.Arbitrary<infer T> ? T : never

/** Encodes a table. `first` is the length of the part with the header. */
function write({ names, delimiter, isSeparatorNamed, encoding, header, rows, isLastEnded }: Table) {
  const mustQuote = (value: string) =>
    /[\r\n]/.test(value) || value.includes(delimiter) || value.startsWith('"')
  const cell = (value: string, isQuoted: boolean) =>
    isQuoted || mustQuote(value) ? `"${value.replaceAll('"', '""')}"` : value
  const fill = (pattern: string) => pattern.replaceAll('D', delimiter)
  const join = ({ before, after, end }: Table['header']['line'], cells: string[]) =>
    [...before.map(({ empty, end }) => fill(empty) + end), cells.join(delimiter), fill(after), end].join('')
  const first = names.map((name) => cell(name, header.isQuoted))
  const head = (isSeparatorNamed ? `sep=${delimiter}${header.line.end}` : '') + join(header.line, first)
  const body = rows.map(({ line, cells }, index) => {
    const isOpen = !isLastEnded && index === rows.length - 1
    const written = cells.slice(0, names.length).map(({ value, isQuoted }) => cell(value, isQuoted))
    return join(isOpen ? { ...line, end: '' } : line, written)
  })
  return { content: encode(head + body.join(''), encoding), first: encode(head, encoding).length }
}

function encode(text: string, encoding: string): Buffer {
  if (encoding === 'utf8') return Buffer.from(text)
  if (encoding === 'utf8 with mark') return Buffer.from(`\uFEFF${text}`)
  const bytes = Buffer.from(`\uFEFF${text}`, 'utf16le')
  return encoding === 'utf16be' ? bytes.swap16() : bytes
}

/** Removes line breaks around values, and empty cells at the end. */
function bare(cells: readonly string[]): string[] {
  const values = cells.map((cell) => cell.replace(/^[\r\n]+/, '').replace(/[\r\n]+$/, ''))
  return values.slice(0, values.findLastIndex((value) => value.trim()) + 1)
}

t.test(`reads ${TABLES} random tables as they were written`, async () => {
  const property = fc.asyncProperty(table, async (given) => {
    const { content, first } = write(given)
    const [size, more] = given.sizes
    const { rows, dialect } = await read(content, size, first + more)
    const [header, ...found] = rows
    assert.equal(dialect?.delimiter, given.delimiter)
    assert.deepEqual(bare(header!.cells), given.names)
    const columns = readHeader(header!.cells)
    const written = given.rows.map(({ cells }) =>
      bare(cells.slice(0, given.names.length).map(({ value }) => value))
    )
    assert.deepEqual(
      found.map(({ cells }) => bare(cells)),
      written.filter((cells) => cells.length > 0)
    )
    for (const row of found) {
      assert.equal(row.error, undefined)
      const read = readRow(row, columns, OPERATIONS)
      assert.doesNotMatch('error' in read ? read.error : '', /has no column/)
    }
    assert.deepEqual(await read(content), { rows, dialect, cells: rows.map(({ cells }) => cells) })
  })
  await fc.assert(property, { numRuns: TABLES })
})

t.test('reads any bytes without throwing, with the same row numbers for any pieces', async (t) => {
  const bytes = fc.array(fc.constantFrom('"', ',', '\n', '\r', 'a', '\0', 'é'), { maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(bytes, fc.integer({ min: 1, max: 9 }), async (parts, size) => {
      const content = `operation,public_id\n${parts.join('')}`
      const { rows } = await read(content, size, 20)
      t.strictSame(rows, (await read(content)).rows)
      t.ok(rows.every(({ row }, index) => index === 0 || row > rows[index - 1]!.row))
    })
  )
})
