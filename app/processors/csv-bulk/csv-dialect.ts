import { parse } from 'csv-parse/sync'
import { columnNamed } from './csv-header.ts'

/** The format of a file. Its report uses the same. */
export interface Dialect {
  delimiter: string
  /** True if the file begins with a byte order mark. Without one, Excel does not read a file as UTF-8. */
  bom: boolean
}

/** Options of csv-parse for files with any delimiter. */
export const PARSER_OPTIONS = {
  // the first match ends the line, so the longest comes first
  record_delimiter: ['\r\r\n', '\r\n', '\n', '\r'],
  relax_column_count: true,
  // a quote within an unquoted cell is text
  relax_quotes: true,
  skip_records_with_error: true
}

const DELIMITERS = [',', ';', '\t', '|']

/** Byte order marks, in hexadecimal. */
const ENCODINGS = [
  ['efbbbf', 'utf-8'],
  ['fffe', 'utf-16le'],
  ['feff', 'utf-16be']
] as const

/** Excel's first line that names the delimiter: `sep=;`. May be quoted, and padded with delimiters. */
const DIRECTIVE = /^\s*"?sep=([^"\r\n])"?\1*(?:\r{0,2}\n|\r|$)/i

/**
 * Detects encoding and delimiter from the beginning of a file. Picks the delimiter that yields the most known
 * columns. The returned `directive` is the text before the first row.
 */
export function sniff(beginning: Buffer) {
  const start = beginning.toString('hex', 0, 3)
  const [mark, encoding = 'utf-8'] = ENCODINGS.find(([bytes]) => start.startsWith(bytes)) ?? []
  const text = new TextDecoder(encoding).decode(beginning)
  const [directive = '', named] = DIRECTIVE.exec(text) ?? []
  const [best] = DELIMITERS.toSorted((a, b) => countColumns(text, b) - countColumns(text, a))
  const dialect: Dialect = { delimiter: named ?? String(best), bom: mark !== undefined }
  return { dialect, directive, decoder: new TextDecoder(encoding) }
}

/** Counts the known column names in the first row that is not empty. */
function countColumns(text: string, delimiter: string): number {
  const options = { ...PARSER_OPTIONS, delimiter, skip_records_with_empty_values: true, to: 1 }
  const [header = []]: string[][] = parse(text, options)
  return header.filter((cell) => columnNamed(cell.trim())).length
}
