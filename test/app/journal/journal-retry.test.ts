import { pino } from 'pino'
import t from 'tap'
import { retryUntilAnswered } from '../../../app/journal/journal-retry.ts'

const dynamoDbError = (name: string) => Object.assign(new Error(name), { name, $metadata: {} })

function build(...errors: Error[]) {
  const lines: Record<string, unknown>[] = []
  const log = pino({}, { write: (line) => void lines.push(JSON.parse(line)) })
  const stop = new AbortController()
  const call = async () => {
    const error = errors.shift()
    if (error) throw error
    return 'answer'
  }
  return {
    lines,
    stop,
    retry: (pauseMs = 1) => retryUntilAnswered(call, { signal: stop.signal, log, pauseMs })
  }
}

t.test('retries until DynamoDB answers, with increasing pauses', async (t) => {
  const { retry, lines } = build(...Array.from({ length: 3 }, () => dynamoDbError('TimeoutError')))
  t.equal(await retry(), 'answer')
  t.match(lines, [
    { level: 50, code: 'JOURNAL_UNAVAILABLE', pauseMs: 1 },
    { level: 50, pauseMs: 2 },
    { level: 50, pauseMs: 4 }
  ])
})

t.test('does not retry an invalid request or a bug', async (t) => {
  for (const cause of [dynamoDbError('ValidationException'), new TypeError('a bug')]) {
    const { retry, lines } = build(cause)
    await t.rejects(retry(), { code: 'JOURNAL_UNAVAILABLE', cause })
    t.strictSame(lines, [])
  }
})

t.test('ends a pause when the signal aborts, and makes a last attempt', async (t) => {
  const [first, last] = [dynamoDbError('TimeoutError'), dynamoDbError('TimeoutError')]
  const { retry, stop, lines } = build(first, last)
  const rejected = t.rejects(retry(60_000), { code: 'JOURNAL_UNAVAILABLE', cause: last })
  while (lines.length === 0) await new Promise((resolve) => setImmediate(resolve))
  stop.abort()
  await rejected
  t.equal(lines.length, 1)
})
