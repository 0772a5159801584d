import t from 'tap'
import { Breaker, type BreakerState } from '../../../app/cloudinary/breaker.ts'
import { type CallFailure, CloudinaryError } from '../../../app/cloudinary/cloudinary-error.ts'

const failure = (kind: CallFailure = { kind: 'retryable' }, status = 503) =>
  new CloudinaryError('CLOUDINARY_UNAVAILABLE', 'add tag: 503', kind, status)

/** Builds a breaker with its clock at 0 and the shortest pauses. */
function build() {
  const changes: BreakerState[] = []
  const time = { now: 0 }
  const breaker = new Breaker({
    clock: () => time.now,
    random: () => 0,
    onChange: (state) => changes.push(state)
  })
  const fail = (times: number) => {
    for (let i = 0; i < times; i++) breaker.observe(failure())
  }
  return { breaker, changes, time, fail }
}

t.test('starts closed and admits any number of events', async (t) => {
  const { breaker } = build()
  t.ok(breaker.isClosed)
  t.equal(breaker.capacity, Number.POSITIVE_INFINITY)
  t.strictSame(breaker.admit(), { outcome: 'go', probe: false })
  const silent = new Breaker()
  for (let i = 0; i < 5; i++) silent.observe(failure())
  t.equal(silent.capacity, 0, 'with the system clock and without a callback')
})

t.test('opens after five consecutive failures', async (t) => {
  const { breaker, changes, fail } = build()
  fail(4)
  t.ok(breaker.isClosed)
  fail(1)
  t.notOk(breaker.isClosed)
  t.equal(breaker.capacity, 0)
  t.strictSame(breaker.admit(), { outcome: 'wait', since: 0, until: 1000 })
  t.strictSame(changes, [{ open: true, until: new Date(1000), why: 'CLOUDINARY_UNAVAILABLE' }])
})

t.test('a success between failures keeps it closed', async (t) => {
  const { breaker, changes, fail } = build()
  fail(4)
  breaker.succeeded()
  fail(4)
  t.ok(breaker.isClosed)
  t.strictSame(changes, [])
})

t.test('a rejection and a busy asset count as responses', async (t) => {
  for (const answer of [failure({ kind: 'permanent' }, 404), failure({ kind: 'retryable' }, 423)]) {
    const { breaker, fail } = build()
    fail(4)
    breaker.observe(answer)
    fail(4)
    t.ok(breaker.isClosed)
  }
})

t.test('reports whether there was a response since a time', async (t) => {
  const { breaker, time, fail } = build()
  t.ok(breaker.answersSince(0), 'nothing has failed yet')
  fail(1)
  t.notOk(breaker.answersSince(Number.NEGATIVE_INFINITY), 'no call was ever answered')
  time.now = 1000
  breaker.succeeded()
  t.ok(breaker.answersSince(5000), 'the last call was answered')
  fail(1)
  t.ok(breaker.answersSince(999))
  t.notOk(breaker.answersSince(1000))
  breaker.observe(failure({ kind: 'rate-limited', until: new Date(5000) }, 420))
  t.notOk(breaker.answersSince(999), 'it is open')
})

t.test('a call that started before a response and fails after it shows no availability', async (t) => {
  const { breaker, time, fail } = build()
  fail(1)
  const call = breaker.start()
  time.now = 1000
  breaker.succeeded()
  breaker.observe(failure(), call)
  t.notOk(breaker.answersSince(0))
  breaker.observe(failure())
  t.ok(breaker.answersSince(0), 'the next call started after the response')
})

t.test('a response that is read late shows availability at the start of its call only', async (t) => {
  const { breaker, time, fail } = build()
  time.now = 500
  const call = breaker.start()
  time.now = 1000
  breaker.succeeded(call)
  fail(1)
  t.ok(breaker.answersSince(499))
  t.notOk(breaker.answersSince(500))
})

t.test('admits one probe at a time after its pause', async (t) => {
  const { breaker, time, fail } = build()
  fail(5)
  time.now = 1000
  t.equal(breaker.capacity, 1)
  t.strictSame(breaker.admit(), { outcome: 'go', probe: true })
  t.strictSame(breaker.admit(), { outcome: 'wait', since: 0, until: 61_000 })
  breaker.release()
  t.strictSame(breaker.admit(), { outcome: 'go', probe: true }, 'a probe without a call does not close it')
})

t.test('admits another probe a minute after one that never ends', async (t) => {
  const { breaker, time, fail } = build()
  fail(5)
  time.now = 1000
  breaker.admit()
  time.now = 61_000
  t.strictSame(breaker.admit(), { outcome: 'go', probe: true })
})

t.test('closes at the first success', async (t) => {
  const { breaker, changes, time, fail } = build()
  fail(5)
  time.now = 1000
  breaker.admit()
  breaker.succeeded()
  t.ok(breaker.isClosed)
  t.match(changes, [{ open: true }, { open: false }])
  fail(4)
  t.ok(breaker.isClosed, 'and the count restarts')
})

t.test('doubles the pause with each failed probe, up to a minute', async (t) => {
  const { breaker, changes, time, fail } = build()
  fail(5)
  const pauses: number[] = []
  for (let i = 0; i < 8; i++) {
    const admission = breaker.admit()
    if (admission.outcome === 'wait') time.now = admission.until
    breaker.admit()
    fail(1)
    const next = breaker.admit()
    if (next.outcome === 'wait') pauses.push((next.until - time.now) / 1000)
  }
  t.strictSame(pauses, [2, 4, 8, 16, 30, 30, 30, 30], 'half of it at least, since random is 0')
  t.equal(changes.length, 1, 'reports once that it opens')
})

t.test('ignores failures of calls that started before it opened', async (t) => {
  const { breaker, fail } = build()
  fail(50)
  t.strictSame(breaker.admit(), { outcome: 'wait', since: 0, until: 1000 })
})

t.test('opens for a rate limit, until it ends or for a minute', async (t) => {
  for (const [until, expected] of [
    [5000, 5000],
    [3_600_000, 60_000]
  ] as const) {
    const { breaker } = build()
    breaker.observe(failure({ kind: 'rate-limited', until: new Date(until) }, 420))
    t.strictSame(breaker.admit(), { outcome: 'wait', since: 0, until: expected })
  }
})

t.test('a rate limit that ends sooner does not shorten the pause', async (t) => {
  const { breaker } = build()
  breaker.observe(failure({ kind: 'rate-limited', until: new Date(5000) }, 420))
  breaker.observe(failure({ kind: 'rate-limited', until: new Date(3000) }, 420))
  t.strictSame(breaker.admit(), { outcome: 'wait', since: 0, until: 5000 })
})
