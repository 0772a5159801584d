import { pipeline } from 'node:stream/promises'
import { type Parser, parse } from 'csv-parse'
import { parse as parseAtOnce } from 'csv-parse/sync'
import { invalidHeader } from './columns.ts'

/** How a file is written, so that its report is written alike. */
export interface Dialect {
  delimiter: string
  /** Without it, Excel takes UTF-8 for something else. */
  bom: boolean
}

/** A row as it stands in the file. */
export interface Row {
  /** As a spreadsheet counts: the header is 1, and a row with line breaks in a cell is one. */
  row: number
  cells: string[]
  /** Why it cannot be read. */
  fault?: string
  /** What follows cannot be read either. */
  isLast?: true
}

/** A row may be so long, in bytes; and so many separators and quotes may be between two rows. */
const LONGEST_ROW = 64 * 1024
const LONGEST_BETWEEN = 4 * LONGEST_ROW

const DELIMITERS = /[,;\t]/

/** What the parser finds that it cannot go on after. */
class Unreadable {
  readonly fault: string

  constructor(fault: string) {
    this.fault = fault
  }
}

/**
 * The rows of a CSV file, the header among them, as they arrive: UTF-8, with or without byte order mark, lines that end
 * in LF or CRLF, cells separated by commas, semicolons or tabs (whichever is the first in the header), quoted by `"`
 * where they have any of these in them. Memory is bounded whatever the file holds.
 *
 * A row with misplaced quotes has a `fault`. A quote that is not closed, or a row over 64 KiB, is the `fault` of the
 * last row that is given.
 *
 * @param onDialect told before the first row
 * @throws {PermanentError} CSV_HEADER_INVALID for UTF-16
 * @throws what reading the content throws; rows that were not yet taken by then are not given
 */
export async function* rowsOf(
  content: AsyncIterable<Buffer>,
  onDialect: (dialect: Dialect) => void
): AsyncGenerator<Row, void, void> {
  const pieces = content[Symbol.asyncIterator]()
  const { beginning, dialect } = await readBeginning(pieces)
  onDialect(dialect)
  const { delimiter } = dialect
  const parser: Parser = parse({
    delimiter,
    raw: true,
    relax_column_count: true,
    // a quote within a cell is one; where it makes the row doubtful is looked at below, and the next row is sound
    relax_quotes: true,
    max_record_size: LONGEST_ROW,
    skip_records_with_error: true,
    // in its place among the rows: an error would overtake those that are not yet taken
    on_skip: (error) => {
      parser.push(new Unreadable(unreadable(error?.code)))
    }
  })
  const feeding = pipeline(bounded(beginning, pieces, parser), parser)
  // the loop below throws it too, unless it has ended before
  feeding.catch(() => {})
  let row = 0
  try {
    for await (const item of parser as AsyncIterable<{ record: string[]; raw: string } | Unreadable>) {
      row++
      if (item instanceof Unreadable) {
        yield { row, cells: [], fault: item.fault, isLast: true }
        return
      }
      const { record: cells, raw } = item
      const doubtful = cells.some((cell) => cell.startsWith('"')) && !isWellQuoted(raw, delimiter)
      yield { row, cells, ...(doubtful && { fault: MISPLACED_QUOTE }) }
    }
  } finally {
    parser.destroy()
  }
}

const MISPLACED_QUOTE = 'a quoted cell goes on after its closing quote; write a quote in it twice'
const TOO_LONG = 'the row is longer than 64 KiB, perhaps by a quote that is not closed; the rest is not run'
const NOT_CLOSED = 'a quote is not closed; the rest is not run'

const unreadable = (code: string | undefined) => (code === 'CSV_QUOTE_NOT_CLOSED' ? NOT_CLOSED : TOO_LONG)

/** As much of the file as its header needs. */
async function readBeginning(
  pieces: AsyncIterator<Buffer>
): Promise<{ beginning: Buffer; dialect: Dialect }> {
  let beginning = Buffer.alloc(0)
  while (beginning.length < LONGEST_ROW && !/[\r\n]/.test(beginning.toString('latin1'))) {
    const next = await pieces.next()
    if (next.done) break
    beginning = Buffer.concat([beginning, next.value])
  }
  const mark = beginning.toString('hex', 0, 3)
  if (/^(fffe|feff)/.test(mark)) throw invalidHeader('it is UTF-16; save it as "CSV UTF-8"')
  const bom = mark === 'efbbbf'
  if (bom) beginning = beginning.subarray(3)
  const [header = ''] = beginning.toString().split(/[\r\n]/, 1)
  return { beginning, dialect: { delimiter: DELIMITERS.exec(header)?.[0] ?? ',', bom } }
}

/** The parser counts the characters of cells, and a line of nothing but separators has none. */
async function* bounded(
  beginning: Buffer,
  pieces: AsyncIterator<Buffer>,
  parser: { info: { records: number }; push: (item: Unreadable) => void }
): AsyncGenerator<Buffer, void, void> {
  yield beginning
  let [records, between] = [0, 0]
  for await (const piece of { [Symbol.asyncIterator]: () => pieces }) {
    between = parser.info.records === records ? between + piece.length : 0
    records = parser.info.records
    if (between > LONGEST_BETWEEN) {
      parser.push(new Unreadable(TOO_LONG))
      return
    }
    yield piece
  }
}

function isWellQuoted(raw: string, delimiter: string): boolean {
  try {
    parseAtOnce(raw, { delimiter })
    return true
  } catch {
    return false
  }
}
