import fc from 'fast-check'
import t from 'tap'
import { type Dialect, type Row, rowsOf } from '../../../../app/processors/csv-bulk/rows.ts'

async function* inPieces(content: string | Buffer, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(content)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** All rows of a file that arrives in pieces of so many bytes, and how it is written. */
async function read(content: string | Buffer, size = 16_384) {
  const rows: Row[] = []
  let dialect: Dialect | undefined
  for await (const row of rowsOf(inPieces(content, size), (found) => {
    dialect = found
  })) {
    rows.push(row)
  }
  return { rows, dialect, cells: rows.map(({ cells }) => cells) }
}

t.test('rows are numbered as a spreadsheet does, the header being 1', async (t) => {
  const { rows } = await read('operation,public_id\ndelete,a\n\n"delete","b\nc"\ndelete,d')
  t.strictSame(rows, [
    { row: 1, cells: ['operation', 'public_id'] },
    { row: 2, cells: ['delete', 'a'] },
    { row: 3, cells: [''] },
    { row: 4, cells: ['delete', 'b\nc'] },
    { row: 5, cells: ['delete', 'd'] }
  ])
})

t.test('the delimiter is the first in the header, and no other splits a cell', async (t) => {
  for (const delimiter of [',', ';', '\t']) {
    const others = ',;\t'.replace(delimiter, '')
    const { cells, dialect } = await read(`a${delimiter}b\r\n1${others}2${delimiter}3\r\n`)
    t.strictSame(cells.at(-1), [`1${others}2`, '3'])
    t.strictSame(dialect, { delimiter, bom: false })
  }
  t.equal((await read('a\n')).dialect?.delimiter, ',')
})

t.test('a byte order mark is none of the header', async (t) => {
  const { cells, dialect } = await read('\uFEFFa;b\n1;2', 1)
  t.strictSame(cells, [
    ['a', 'b'],
    ['1', '2']
  ])
  t.strictSame(dialect, { delimiter: ';', bom: true })
})

t.test('UTF-16 is refused, since none of it could be read', async (t) => {
  for (const mark of [
    [0xff, 0xfe],
    [0xfe, 0xff]
  ]) {
    await t.rejects(read(Buffer.from([...mark, 0x61, 0, 0x0a, 0])), {
      code: 'CSV_HEADER_INVALID',
      message: /UTF-16/
    })
  }
})

t.test('an empty file has no rows', async (t) => {
  t.strictSame((await read('')).rows, [])
})

t.test('a quote within a cell is one', async (t) => {
  const { rows } = await read('a,b\n5" disc,"say ""hi"""\n"""x""",y\n')
  t.strictSame(rows.slice(1), [
    { row: 2, cells: ['5" disc', 'say "hi"'] },
    { row: 3, cells: ['"x"', 'y'] }
  ])
})

t.test('a row with a misplaced quote is at fault, and the next is sound', async (t) => {
  const { rows } = await read('a,b\r\n"x"y,1\r\nz,2\r\n')
  t.match(rows.slice(1), [
    { row: 2, fault: /goes on after its closing quote/ },
    { row: 3, cells: ['z', '2'], fault: undefined }
  ])
})

t.test('a quote that is not closed ends the file, and the rows before it are given', async (t) => {
  const { rows } = await read('a,b\n1,2\n3,"4\n5,6\n')
  t.match(rows, [
    { row: 1, isLast: undefined },
    { row: 2, cells: ['1', '2'], fault: undefined },
    { row: 3, cells: [], fault: /not closed; the rest is not run/, isLast: true }
  ])
  t.equal(rows.length, 3)
})

t.test('a row that is too long ends the file, and the rows before it are given', async (t) => {
  const { rows } = await read(`a,b\n1,2\n3,"${'x'.repeat(70_000)}"\n5,6\n`)
  t.match(rows, [
    { row: 1 },
    { row: 2, fault: undefined },
    { row: 3, fault: /longer than 64 KiB/, isLast: true }
  ])
  t.equal(rows.length, 3)
  t.match((await read(`a,b\n1,${'x'.repeat(60_000)}\n`)).rows, [{ row: 1 }, { row: 2, fault: undefined }])
})

t.test('a header without an end is read no further than a row may be long', async (t) => {
  let read = 0
  async function* endless() {
    for (;;) {
      read += 1024
      yield Buffer.alloc(1024, 'x')
    }
  }
  const [only] = await Array.fromAsync(rowsOf(endless(), () => {}))
  t.match(only, { row: 1, isLast: true, fault: /longer than 64 KiB/ })
  t.ok(read < 1_000_000, `${read} bytes were read`)
})

t.test('nothing but separators does not fill the memory', async (t) => {
  let read = 0
  async function* separators() {
    yield Buffer.from('a,b\n1,2\n')
    for (;;) {
      read += 16_384
      yield Buffer.alloc(16_384, ',')
    }
  }
  const rows = await Array.fromAsync(rowsOf(separators(), () => {}))
  t.match(rows, [{ row: 1 }, { row: 2, cells: ['1', '2'] }, { row: 3, isLast: true, fault: /longer/ }])
  t.ok(read < 1_000_000, `${read} bytes were read`)
})

t.test('what reading the content throws is thrown, and the content is closed', async (t) => {
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

t.test('whoever stops reading closes the content', async (t) => {
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

t.test('what was written as CSV is read as it was, in whatever pieces it comes', async (t) => {
  const cell = fc.oneof(fc.constantFrom('', '"', '\n', ',', ';', 'é', '😀'), fc.string({ unit: 'grapheme' }))
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 5 }),
      fc.constantFrom(',', ';'),
      fc.constantFrom('\n', '\r\n'),
      fc.integer({ min: 1, max: 40 }),
      async (table, delimiter, end, size) => {
        const lines = [['h', 'i'], ...table].map((cells) => cells.map(quoted).join(delimiter))
        const header = `h${delimiter}i`
        const { cells, rows } = await read([header, ...lines.slice(1), ''].join(end), size)
        t.strictSame(cells.slice(1), table)
        t.ok(rows.every(({ fault }) => fault === undefined))
      }
    )
  )
})

t.test('no bytes whatever make it throw or hang, and it ends', async (t) => {
  const bytes = fc.array(fc.constantFrom('"', ',', '\n', '\r', 'a', '\0', 'é'), { maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(bytes, fc.integer({ min: 1, max: 9 }), async (content, size) => {
      const { rows } = await read(content.join(''), size)
      t.strictSame(
        rows.map(({ row }) => row),
        rows.map((_, index) => index + 1)
      )
    })
  )
})
