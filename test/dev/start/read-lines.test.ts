import { PassThrough } from 'node:stream'
import { finished } from 'node:stream/promises'
import t from 'tap'
import { onEachLine } from '../../../dev/start/read-lines.ts'

async function linesOf(...chunks: (string | Buffer)[]): Promise<string[]> {
  const stream = new PassThrough()
  const lines: string[] = []
  onEachLine(stream, (line) => lines.push(line))
  for (const chunk of chunks) stream.write(chunk)
  stream.end()
  await finished(stream)
  return lines
}

t.test('ends a line only at LF', async (t) => {
  const logged = '{"asset":"a\u2028b\u2029c\rd"}'
  t.strictSame(await linesOf(`${logged}\nsecond\n\n`), [logged, 'second', ''])
})

t.test('joins pieces of lines and characters, and ends the last line with the stream', async (t) => {
  const [first, second] = [
    Buffer.from('gr\u00f6\u00dfe\nla').subarray(0, 3),
    Buffer.from('gr\u00f6\u00dfe\nla').subarray(3)
  ]
  t.strictSame(await linesOf(first, second, 'st'), ['gr\u00f6\u00dfe', 'last'])
  t.strictSame(await linesOf(), [])
})
