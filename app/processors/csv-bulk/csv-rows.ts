import { finished } from 'node:stream/promises'
import { parse } from 'csv-parse'
import { type Dialect, RULES, sniff } from './csv-dialect.ts'

/** A row that is not empty, as it stands in the file. */
export interface Row {
  /** As a spreadsheet counts: the first is 1, an empty row counts, and a row with line breaks in a cell is one. */
  row: number
  /** Without line breaks at their ends. */
  cells: string[]
  /** Why the row cannot be read. */
  fault?: string
  /** The rows after it cannot be read either. */
  isLast?: true
}

/** Maximum length of a row, in bytes. */
export const LONGEST_ROW = 64 * 1024

/** Bytes parsed at a time: rows that wait to be run grow the heap's young generation. */
const SLICE_BYTES = 4096

export const NOT_UTF8 = 'it is not UTF-8; save the file as "CSV UTF-8" and upload it again'
const MISPLACED_QUOTE = 'a quoted cell goes on after its closing quote; write a quote in it twice'
const TOO_LONG = 'the row is longer than 64 KiB, perhaps by a quote that is not closed; the rest is not run'
const NOT_CLOSED = 'a quote is not closed; the rest is not run'

/**
 * Yields the rows of a CSV file that are not empty, the header among them: UTF-8, or UTF-16 with a byte order mark, and
 * lines that each end in LF, CRLF, CR or CRCRLF. Memory is bounded whatever the file holds. A row has the same number
 * wherever the pieces begin.
 *
 * A row with a misplaced quote or undecodable text has a `fault`. A quote that is not closed, or a row over 64 KiB, is
 * the `fault` of the last row.
 *
 * @param content pieces, of which the first holds the header
 * @param onDialect called before the first row
 * @throws what reading the content throws
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

/** Reads pieces into `rows` at once: `on_record` keeps them from the stream, which would wait for its own reader. */
function openReader(beginning: Buffer, onDialect: (dialect: Dialect) => void) {
  const { dialect, decoder, directive } = sniff(beginning)
  onDialect(dialect)
  const rows: Row[] = []
  let [row, unendedBytes, toSkip] = [0, 0, directive.length]
  const stop = (fault: string): undefined => void rows.push({ row: row + 1, cells: [], fault, isLast: true })
  const parser = parse({
    ...RULES,
    delimiter: dialect.delimiter,
    raw: true,
    on_record(item: unknown) {
      const { record, raw } = item as { record: string[]; raw: string }
      if (Buffer.byteLength(raw) > LONGEST_ROW) return stop(TOO_LONG)
      row++
      const fault = faultOf(record, raw)
      const cells = record.map((cell) => cell.replace(LINE_BREAKS_AROUND, ''))
      if (cells.some((cell) => cell.trim())) rows.push({ row, cells, ...(fault && { fault }) })
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
      unendedBytes = row === before ? unendedBytes + piece.length : 0
      // twice as many, since the parser looks ahead: it knows some bytes later that a row has ended
      if (unendedBytes > 2 * LONGEST_ROW) stop(TOO_LONG)
    },
    end() {
      parser.end(decoder.decode())
      return finished(parser)
    }
  }
}

/** The lookbehind keeps it linear: a run of line breaks is tried once. */
const LINE_BREAKS_AROUND = /^[\r\n]+|(?<![\r\n])[\r\n]+$/g

function faultOf(cells: readonly string[], raw: string): string | undefined {
  // what cannot be decoded becomes U+FFFD, and UTF-16 without a mark has NUL in it
  if (cells.some((cell) => /[\0\uFFFD]/.test(cell))) return NOT_UTF8
  // the parser leaves a misplaced quote in the cell, which CSV would write otherwise
  const isMisplaced = (cell: string) =>
    cell.startsWith('"') && !raw.includes(`"${cell.replaceAll('"', '""')}"`)
  return cells.some(isMisplaced) ? MISPLACED_QUOTE : undefined
}
