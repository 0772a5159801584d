import t from 'tap'
import {
  attemptsUntilNow,
  type LastAttempt,
  type PastAttempt,
  pastAttempts
} from '../../../app/journal/attempt-history.ts'

const START = '2026-06-01T12:00:05.000Z'

const entry = (change: Partial<LastAttempt> = {}): LastAttempt => ({
  status: 'retrying',
  attemptId: 'second',
  attemptStartedAt: START,
  processors: {
    tag: { outcome: 'succeeded', at: '2026-06-01T12:00:01.000Z', milliseconds: 3, attempts: 1, waits: 0 },
    stamp: {
      outcome: 'failed',
      at: '2026-06-01T12:00:06.000Z',
      milliseconds: 9,
      attempts: 2,
      waits: 0,
      code: 'ETIMEDOUT',
      message: 'too slow',
      notBefore: '2026-06-01T12:00:08.000Z'
    }
  },
  history: [{ id: 'first', startedAt: '2026-06-01T12:00:00.000Z', processors: {} }],
  ...change
})

t.test('derives the last attempt from the records of the processors that ran in it', async (t) => {
  const failed = { outcome: 'failed', milliseconds: 9, code: 'ETIMEDOUT', message: 'too slow' }
  t.strictSame(attemptsUntilNow(entry()), [
    { id: 'first', startedAt: '2026-06-01T12:00:00.000Z', processors: {} },
    { id: 'second', startedAt: START, endedAt: '2026-06-01T12:00:06.000Z', processors: { stamp: failed } }
  ])
})

t.test('an attempt without a recorded outcome has no end', async (t) => {
  const started = { outcome: 'started', at: START, attempts: 1, waits: 0 } as const
  const [, last] = attemptsUntilNow(entry({ status: 'processing', processors: { tag: started } }))
  t.strictSame(last, { id: 'second', startedAt: START, processors: { tag: { outcome: 'started' } } })
})

t.test('an attempt in which no processor ran ends when it starts', async (t) => {
  const { processors: _, ...unrecorded } = entry({ status: 'done' })
  t.strictSame(attemptsUntilNow(unrecorded)[1], {
    id: 'second',
    startedAt: START,
    endedAt: START,
    processors: {}
  })
})

t.test('an event of an earlier release has no attempts', async (t) => {
  t.strictSame(attemptsUntilNow({ status: 'done' }), [])
  t.strictSame(attemptsUntilNow({ status: 'done', attemptId: 'first' }), [])
})

t.test('keeps 20 attempts with the one that starts, and 32 KiB of them', async (t) => {
  const history = (message: string): PastAttempt[] =>
    Array.from({ length: 30 }, (_, index) => ({
      id: String(index),
      startedAt: START,
      processors: { tag: { outcome: 'failed', code: 'X', message } }
    }))
  const many = pastAttempts(entry({ history: history('short') }))
  t.equal(many.length, 19)
  t.equal(many.at(-1)?.id, 'second')
  const large = pastAttempts(entry({ history: history('x'.repeat(4000)) }))
  t.ok(Buffer.byteLength(JSON.stringify(large)) <= 33 * 1024)
  t.equal(large.at(-1)?.id, 'second')
  t.equal(large.at(-2)?.id, '29')
  t.ok(large.length >= 8)
})

t.test('an attempt of a replay has its run', async (t) => {
  const entry = { status: 'done', attemptId: 'a', attemptStartedAt: '2026-06-01T12:00:00.000Z', run: 'r1' }
  t.match(attemptsUntilNow(entry), [{ id: 'a', run: 'r1' }])
})
