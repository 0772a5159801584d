import { finished } from 'node:stream/promises'
import { parse } from 'csv-parse'
import { type Dialect, PARSER_OPTIONS, sniff } from './csv-dialect.ts'

/** A row that is not empty. */
export interface Row {
  /**
   * Row number as in a spreadsheet: from 1, empty rows included, a row with line breaks in a cell counts
   * once.
   */
  row: number
  /** Cells without leading and trailing line breaks. */
  cells: string[]
  /** Why the row cannot be read. */
  error?: string
  /** Set if the rows after this one cannot be read either. */
  isLast?: true
}

/** Maximum length of a row, in bytes. */
export const MAX_ROW_BYTES = 64 * 1024

/** Bytes parsed at a time: rows that wait grow the heap's young generation. */
const SLICE_BYTES = 4096

export const NOT_UTF8 = 'not UTF-8; save the file as "CSV UTF-8" and upload it again'
const MISPLACED_QUOTE = 'text after a closing quote; write a quote inside a quoted cell twice'
const TOO_LONG =
  'row longer than 64 KiB, perhaps because a quote is not closed; the remaining rows were not run'
const NOT_CLOSED = 'quote not closed; the remaining rows were not run'

/**
 * Yields the rows of a CSV file that are not empty, including the header. Reads UTF-8, and UTF-16 with a byte
 * order mark; each line may end in LF, CRLF, CR or CRCRLF. Memory is bounded for any content. Row numbers do
 * not depend on where the pieces begin.
 *
 * A row with a misplaced quote or undecodable text has an `error`. A quote that is not closed, or a row over
 * 64 KiB, is the `error` of the last row.
 *
 * @param content pieces; the first contains the whole header
 * @param onDialect called before the first row
 * @throws errors of `content`
 */
export async function* rowsOf(
  content: AsyncIterable<Buffer>,
  onDialect: (dialect: Dialect) => void
): AsyncGenerator<Row, void, void> {
  let reader: Reader | undefined
  for await (const piece of content) {
    reader ??= openReader(piece, onDialect)
    for (let at = 0; at < piece.length; at += SLICE_BYTES) {
      reader.read(piece.subarray(at, at + SLICE_BYTES))
      for (const row of reader.rows.splice(0)) {
        yield row
        if (row.isLast) return
      }
    }
  }
  await reader?.end()
  yield* reader?.rows ?? []
}

type Reader = ReturnType<typeof openReader>

/**
 * Parses pieces into `rows` synchronously: `on_record` keeps rows out of the stream, which would wait for a
 * reader.
 */
function openReader(beginning: Buffer, onDialect: (dialect: Dialect) => void) {
  const { dialect, decoder, directive } = sniff(beginning)
  onDialect(dialect)
  const rows: Row[] = []
  let [row, openBytes, toSkip] = [0, 0, directive.length]
  const stop = (error: string): undefined => void rows.push({ row: row + 1, cells: [], error, isLast: true })
  const parser = parse({
    ...PARSER_OPTIONS,
    delimiter: dialect.delimiter,
    raw: true,
    on_record(item: unknown) {
      const { record, raw } = item as { record: string[]; raw: string }
      if (Buffer.byteLength(raw) > MAX_ROW_BYTES) return stop(TOO_LONG)
      row++
      const error = errorIn(record, raw)
      const cells = record.map((cell) => cell.replace(LINE_BREAKS_AROUND, ''))
      if (cells.some((cell) => cell.trim())) rows.push({ row, cells, ...(error && { error }) })
      return undefined
    },
    on_skip: () => stop(NOT_CLOSED)
  }).resume()
  return {
    rows,
    read(piece: Buffer) {
      const before = row
      parser.write(decoder.decode(piece, { stream: true }).slice(toSkip))
      toSkip = 0
      openBytes = row === before ? openBytes + piece.length : 0
      // twice the maximum: the parser looks ahead, so it reports a row some bytes after its end
      if (openBytes > 2 * MAX_ROW_BYTES) stop(TOO_LONG)
    },
    end() {
      parser.end(decoder.decode())
      return finished(parser)
    }
  }
}

/** The lookbehind keeps matching linear: each run of line breaks is tried once. */
const LINE_BREAKS_AROUND = /^[\r\n]+|(?<![\r\n])[\r\n]+$/g

function errorIn(cells: readonly string[], raw: string): string | undefined {
  // undecodable bytes become U+FFFD; UTF-16 without a byte order mark contains NUL
  if (cells.some((cell) => /[\0\uFFFD]/.test(cell))) return NOT_UTF8
  // the parser leaves a misplaced quote in the cell; encoding the cell again gives other text
  const isMisplaced = (cell: string) =>
    cell.startsWith('"') && !raw.includes(`"${cell.replaceAll('"', '""')}"`)
  return cells.some(isMisplaced) ? MISPLACED_QUOTE : undefined
}
