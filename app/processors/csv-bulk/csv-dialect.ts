import { parse } from 'csv-parse/sync'
import { columnNamed } from './csv-columns.ts'

/** How a file is written, so that its report is written alike. */
export interface Dialect {
  delimiter: string
  /** Without it, Excel reads UTF-8 as another encoding. */
  bom: boolean
}

/** What csv-parse takes for a row and a cell, with any delimiter. */
export const RULES = {
  // the first that fits ends the line, so the longest comes first
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

/** Excel's own first line that names the delimiter: `sep=;`, perhaps in quotes, perhaps filled up with delimiters. */
const DIRECTIVE = /^\s*"?sep=([^"\r\n])"?\1*(?:\r{0,2}\n|\r|$)/i

/**
 * Reads from the beginning of a file how it is written. Its delimiter is the one that yields the most known columns.
 * What `directive` is precedes the first row.
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

/** How many cells of the first row that is not empty name a column. */
function countColumns(text: string, delimiter: string): number {
  const rules = { ...RULES, delimiter, skip_records_with_empty_values: true, to: 1 }
  const [header = []]: string[][] = parse(text, rules)
  return header.filter((cell) => columnNamed(cell.trim())).length
}
