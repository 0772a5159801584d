import t from 'tap'
import { sniff } from '../../../../app/processors/csv-bulk/csv-dialect.ts'

const delimiterOf = (text: string) => sniff(Buffer.from(text)).dialect.delimiter

t.test('detects the delimiter for any column names', async (t) => {
  for (const delimiter of [',', ';', '\t', '|']) {
    const header = ['operation', 'public_id', 'context.a, b', 'context.c|d;e'].join(delimiter)
    t.equal(delimiterOf(`${header}\r\n`), delimiter)
    t.equal(delimiterOf(`\r\n${delimiter} ${delimiter}\n${header}`), delimiter, 'after empty rows')
    const quoted = ['context.a,b;c', 'public_id', 'operation'].map((name) => `"${name}"`).join(delimiter)
    t.equal(delimiterOf(quoted), delimiter, 'in quotes')
    t.equal(delimiterOf(`"context.a\n,b"${delimiter}operation${delimiter}public_id`), delimiter)
  }
  t.equal(delimiterOf('Operation;public_id;tags'), ';', 'also for an invalid header')
  for (const unknown of ['', 'a', '"', '"operation;public_id']) t.equal(delimiterOf(unknown), ',')
})

t.test('reads the delimiter from sep=', async (t) => {
  for (const line of [
    'sep=;\r\n',
    'SEP=;\n',
    'sep=;\r',
    'sep=;\r\r\n',
    '"sep=;"\n',
    'sep=;;;;\n',
    '\nsep=;\n'
  ]) {
    const { dialect, directive } = sniff(Buffer.from(`${line}operation,public_id`))
    t.equal(dialect.delimiter, ';', line)
    t.equal(directive, line)
  }
  t.equal(delimiterOf('sep=\t\n'), '\t')
  t.equal(delimiterOf('sep=§\n'), '§')
  t.equal(delimiterOf('sep=;'), ';')
  for (const line of ['sep=\n', 'sep=ab\n', 'sep="\n']) t.equal(sniff(Buffer.from(line)).directive, '', line)
})

t.test('detects the encoding from the byte order mark', async (t) => {
  const encodings = [
    [[0xef, 0xbb, 0xbf], 'utf-8', true],
    [[0xff, 0xfe], 'utf-16le', true],
    [[0xfe, 0xff], 'utf-16be', true],
    [[], 'utf-8', false]
  ] as const
  for (const [mark, encoding, bom] of encodings) {
    const { decoder, dialect } = sniff(Buffer.from(mark))
    t.equal(decoder.encoding, encoding)
    t.equal(dialect.bom, bom)
  }
})
