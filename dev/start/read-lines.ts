import type { Readable } from 'node:stream'

/**
 * Reads lines of UTF-8, which end with LF. `node:readline` also splits at U+2028 and U+2029, which JSON does
 * not escape: a public id could break up a log line.
 */
export function onEachLine(stream: Readable, onLine: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    lines.forEach(onLine)
  })
  stream.once('end', () => {
    if (rest !== '') onLine(rest)
  })
}
