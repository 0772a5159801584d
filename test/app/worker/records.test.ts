import t from 'tap'
import { CloudinaryError } from '../../../app/cloudinary/fault.ts'
import { PermanentError } from '../../../app/errors.ts'
import type { ProcessorRecord } from '../../../app/journal/journal.ts'
import type { Failure } from '../../../app/worker/dispatch.ts'
import { describeError, isFinal, recordOf, verdictOf } from '../../../app/worker/records.ts'
import { sampleEvent } from '../../support/events.ts'

const AT = '2026-06-01T12:00:10.000Z'
const clock = () => Date.parse(AT)

const succeeded: ProcessorRecord = { outcome: 'succeeded', at: AT, milliseconds: 5 }
const failed: ProcessorRecord = { outcome: 'failed', at: AT, milliseconds: 5, code: 'E', message: 'not yet' }
const dead: ProcessorRecord = { ...failed, outcome: 'dead', message: 'never' }

const failure: Failure = {
  outcome: 'failed',
  processor: 'tag',
  fault: { kind: 'retryable' },
  error: new CloudinaryError('CLOUDINARY_UNAVAILABLE', 'add tag', { kind: 'retryable' }, 503),
  milliseconds: 7
}

t.test('a processor is done once it has succeeded or is dead, and not before', async (t) => {
  t.notOk(isFinal(undefined, undefined))
  t.notOk(isFinal(failed, undefined))
  t.ok(isFinal(succeeded, undefined))
  t.ok(isFinal(dead, undefined))
})

t.test('a redrive has another go at what is dead, a replay at everything, each once', async (t) => {
  const redrive = { kind: 'redrive', id: 'r1' } as const
  const replay = { kind: 'replay', id: 'p1' } as const
  t.ok(isFinal(succeeded, redrive))
  t.notOk(isFinal(dead, redrive))
  t.ok(isFinal({ ...dead, run: 'r1' }, redrive))
  t.notOk(isFinal(succeeded, replay))
  t.ok(isFinal({ ...succeeded, run: 'p1' }, replay))
  t.notOk(isFinal({ ...failed, run: 'p1' }, replay))
})

t.test('a redrive of a replay has another go at all that the replay has not done', async (t) => {
  const redrive = { kind: 'redrive', id: 'r1', replay: 'p1' } as const
  t.notOk(isFinal(succeeded, redrive), 'before the replay')
  t.notOk(isFinal({ ...succeeded, run: 'p0', replay: 'p0' }, redrive), 'of another replay')
  t.ok(isFinal({ ...succeeded, run: 'p1', replay: 'p1' }, redrive))
  t.ok(isFinal({ ...succeeded, run: 'r0', replay: 'p1' }, redrive), 'of an earlier redrive of it')
  t.notOk(isFinal({ ...dead, run: 'p1', replay: 'p1' }, redrive))
  t.match(recordOf(failure, true, { ...sampleEvent('upload'), run: redrive }, clock), {
    run: 'r1',
    replay: 'p1'
  })
})

t.test('a record says how a run ended, when, and in which run of an operator', async (t) => {
  const event = sampleEvent('upload')
  const run = { outcome: 'succeeded', processor: 'tag', note: undefined, milliseconds: 5 } as const
  t.strictSame(recordOf(run, false, event, clock), succeeded)
  t.strictSame(recordOf({ ...run, note: 'tagged' }, false, event, clock), { ...succeeded, note: 'tagged' })
  t.match(recordOf(failure, false, event, clock), {
    outcome: 'failed',
    code: 'CLOUDINARY_UNAVAILABLE',
    milliseconds: 7
  })
  t.match(recordOf(failure, true, { ...event, run: { kind: 'redrive', id: 'r1' } }, clock), {
    outcome: 'dead',
    run: 'r1'
  })
})

t.test(
  'an event is done when all is, dead when some is, and retrying while anything is to be tried',
  async (t) => {
    const verdict = (records: Record<string, ProcessorRecord>, failures: Failure[] = [], counts = true) =>
      verdictOf(new Map(Object.entries(records)), failures, counts)
    t.strictSame(verdict({ a: succeeded, b: succeeded }), { status: 'done' })
    t.strictSame(verdict({ a: dead, b: succeeded }), {
      status: 'dead',
      lastError: { processor: 'a', code: 'E', message: 'never' }
    })
    t.strictSame(verdict({ a: dead, b: failed }, [failure]), {
      status: 'retrying',
      lastError: { processor: 'b', code: 'E', message: 'not yet' }
    })
    t.match(verdict({ a: failed }, [failure], false), { status: 'retrying', uncounted: true })
    t.strictSame(verdict({ a: failed }), { status: 'done' }, 'what has failed is configured no longer')
  }
)

t.test('an error is told by its code, or by its name where it has none', async (t) => {
  t.strictSame(describeError(new PermanentError('never', { code: 'NO_FIELD' })), {
    code: 'NO_FIELD',
    message: 'never'
  })
  t.match(describeError(new TypeError('no socket')), { code: 'TypeError', message: 'no socket' })
})
