import t from 'tap'
import { type CallFailure, CloudinaryError } from '../../../app/cloudinary/cloudinary-error.ts'
import { PermanentError, RetryLaterError } from '../../../app/errors.ts'
import type { ProcessorRecord, ProcessorRecords } from '../../../app/journal/processor-record.ts'
import {
  attemptOutcome,
  attemptsOf,
  describeError,
  endedRecord,
  exhaustedRun,
  type FailureCause,
  isExhausted,
  isFinal,
  notBeforeOf,
  startedRecord,
  withMaximumWait
} from '../../../app/worker/attempt-records.ts'
import type { FailedRun } from '../../../app/worker/run-processor.ts'
import { sampleEvent } from '../../support/events.ts'

const AT = '2026-06-01T12:00:10.000Z'
const NOW = Date.parse(AT)
const event = sampleEvent('upload')
const redrive = { kind: 'redrive', id: 'r1' } as const
const replay = { kind: 'replay', id: 'p1' } as const

const ran = { at: AT, milliseconds: 5, attempts: 1, waits: 0 }
const succeeded: ProcessorRecord = { ...ran, outcome: 'succeeded' }
const failed: ProcessorRecord = { ...ran, outcome: 'failed', code: 'E', message: 'not yet', notBefore: AT }
const dead: ProcessorRecord = { ...ran, outcome: 'dead', code: 'E', message: 'never' }
const started: ProcessorRecord = { outcome: 'started', at: AT, attempts: 3, waits: 2 }

const failedRun = (failure: CallFailure = { kind: 'retryable' }): FailedRun => ({
  outcome: 'failed',
  processor: 'tag',
  failure,
  error: new CloudinaryError('CLOUDINARY_UNAVAILABLE', 'add tag', failure, 503),
  milliseconds: 7
})

const ended = (
  cause: FailureCause,
  { before, failure, on = event }: { before?: ProcessorRecord; failure?: CallFailure; on?: typeof event } = {}
) => endedRecord(failedRun(failure), cause, { event: on, before, now: NOW, random: () => 0.5 })

const secondsUntil = (record: ProcessorRecord) => (notBeforeOf(record, undefined) - NOW) / 1000

t.test('a processor is finished once it has succeeded or is dead', async (t) => {
  t.notOk(isFinal(undefined, undefined))
  t.notOk(isFinal(failed, undefined))
  t.notOk(isFinal(started, undefined))
  t.ok(isFinal(succeeded, undefined))
  t.ok(isFinal(dead, undefined))
})

t.test('a redrive reruns dead processors, a replay reruns all, each once', async (t) => {
  t.ok(isFinal(succeeded, redrive))
  t.notOk(isFinal(dead, redrive))
  t.ok(isFinal({ ...dead, run: 'r1' }, redrive))
  t.notOk(isFinal(succeeded, replay))
  t.ok(isFinal({ ...succeeded, run: 'p1' }, replay))
  t.notOk(isFinal({ ...failed, run: 'p1' }, replay))
})

t.test('a redrive of a replay reruns what the replay has not finished', async (t) => {
  const ofReplay = { ...redrive, replay: 'p1' }
  t.notOk(isFinal(succeeded, ofReplay), 'before the replay')
  t.notOk(isFinal({ ...succeeded, run: 'p0', replay: 'p0' }, ofReplay), 'of another replay')
  t.ok(isFinal({ ...succeeded, run: 'p1', replay: 'p1' }, ofReplay))
  t.ok(isFinal({ ...succeeded, run: 'r0', replay: 'p1' }, ofReplay), 'of an earlier redrive of it')
  t.notOk(isFinal({ ...dead, run: 'p1', replay: 'p1' }, ofReplay))
  t.match(ended('processor', { on: { ...event, run: ofReplay } }), { run: 'r1', replay: 'p1' })
})

t.test('a redrive resets attempts and waits', async (t) => {
  t.equal(attemptsOf(failed, undefined), 1)
  t.equal(attemptsOf(failed, redrive), 0)
  t.equal(attemptsOf({ ...failed, run: 'r1' }, redrive), 1)
  t.equal(attemptsOf(undefined, undefined), 0)
  t.equal(notBeforeOf(failed, undefined), NOW)
  t.equal(notBeforeOf(failed, redrive), 0)
  t.equal(notBeforeOf(succeeded, undefined), 0)
})

t.test('a run counts when it starts, since it may crash its worker', async (t) => {
  t.strictSame(startedRecord(event, undefined, NOW), { outcome: 'started', at: AT, attempts: 1, waits: 0 })
  t.strictSame(startedRecord(event, { ...failed, attempts: 4, waits: 7 }, NOW), {
    outcome: 'started',
    at: AT,
    attempts: 5,
    waits: 7
  })
  t.strictSame(startedRecord({ ...event, run: replay }, failed, NOW), {
    outcome: 'started',
    at: AT,
    attempts: 1,
    waits: 0,
    run: 'p1',
    replay: 'p1'
  })
  t.notOk(isExhausted({ ...started, attempts: 11 }, undefined))
  t.ok(isExhausted({ ...started, attempts: 12 }, undefined))
  t.notOk(isExhausted({ ...started, attempts: 12 }, redrive))
  t.notOk(isExhausted({ ...failed, attempts: 12 }, undefined))
  t.match(exhaustedRun('tag'), { processor: 'tag', failure: { kind: 'permanent' } })
})

t.test('records a success with its note', async (t) => {
  const run = { outcome: 'succeeded', processor: 'tag', note: undefined, milliseconds: 5 } as const
  const context = { event, before: failed, now: NOW, random: () => 0.5 }
  t.strictSame(endedRecord(run, 'processor', context), { ...succeeded, attempts: 2 })
  t.strictSame(endedRecord({ ...run, note: 'tagged' }, 'processor', context), {
    ...succeeded,
    attempts: 2,
    note: 'tagged'
  })
})

t.test('a failure that counts backs off exponentially, and the twelfth is dead', async (t) => {
  let record = ended('processor')
  const delays = [secondsUntil(record)]
  for (let attempt = 2; attempt <= 11; attempt++) {
    record = ended('processor', { before: record })
    delays.push(secondsUntil(record))
  }
  t.strictSame(delays, [1, 2, 4, 8, 16, 32, 64, 128, 256, 450, 450])
  t.match(record, { outcome: 'failed', attempts: 11, code: 'CLOUDINARY_UNAVAILABLE' })
  const last = ended('processor', { before: record })
  t.match(last, { outcome: 'dead', attempts: 12, code: 'CLOUDINARY_UNAVAILABLE' })
  t.notOk('notBefore' in last)
})

t.test('a failure that does not count uses up no attempt and waits longer each time', async (t) => {
  let record = ended('cloudinary', { before: { ...failed, attempts: 11 } })
  t.match(record, { outcome: 'failed', attempts: 11, waits: 1 })
  for (let i = 2; i <= 300; i++) record = ended('cloudinary', { before: record })
  t.match(record, { outcome: 'failed', attempts: 11, waits: 300 })
  t.equal(secondsUntil(record), 300)
  t.match(ended('processor', { before: { ...record, attempts: 1 } }), { attempts: 2, waits: 0 })
})

t.test('an interrupted run can be repeated at once', async (t) => {
  const record = ended('interruption', { before: { ...failed, attempts: 4, waits: 2 } })
  t.match(record, { outcome: 'failed', attempts: 4, waits: 2 })
  t.equal(secondsUntil(record), 0)
})

t.test('waits until the time that the failure asks for', async (t) => {
  const until = new Date(NOW + 86_400_000)
  t.equal(secondsUntil(ended('processor', { failure: { kind: 'retryable', until } })), 86_415)
  t.equal(secondsUntil(ended('cloudinary', { failure: { kind: 'rate-limited', until } })), 86_415)
  const past = new Date(NOW - 60_000)
  t.equal(secondsUntil(ended('processor', { failure: { kind: 'retryable', until: past } })), 1)
})

t.test('a permanent failure is dead at once, for any cause', async (t) => {
  for (const cause of ['processor', 'cloudinary', 'interruption'] as const) {
    t.match(ended(cause, { failure: { kind: 'permanent' } }), { outcome: 'dead', attempts: 1 })
  }
})

t.test('a processor can delay an event for seven days at most', async (t) => {
  const until = (days: number) => new Date(NOW + days * 86_400_000)
  const asked = (days: number): FailedRun => ({
    ...failedRun({ kind: 'retryable', until: until(days) }),
    error: new RetryLaterError('busy', until(days))
  })
  t.match(withMaximumWait(asked(7), AT), { failure: { kind: 'retryable', until: until(7) } })
  t.match(withMaximumWait(asked(8), AT), { failure: { kind: 'permanent' }, error: { code: 'WAIT_TOO_LONG' } })
  t.match(withMaximumWait(asked(1), until(-6.5).toISOString()), { error: { code: 'WAIT_TOO_LONG' } })
  t.match(withMaximumWait(failedRun(), AT), { failure: { kind: 'retryable' } })
  const run = { outcome: 'succeeded', processor: 'tag', note: undefined, milliseconds: 5 } as const
  t.equal(withMaximumWait(run, AT), run)
})

t.test('an event is retrying while a processor is pending, then dead or done', async (t) => {
  const outcome = (records: ProcessorRecords, isUnfinished = false) => attemptOutcome(records, isUnfinished)
  t.strictSame(outcome({ a: succeeded, b: succeeded }), { status: 'done' })
  t.strictSame(outcome({ a: dead, b: succeeded }), {
    status: 'dead',
    lastError: { processor: 'a', code: 'E', message: 'never' }
  })
  t.strictSame(outcome({ a: dead, b: failed }, true), {
    status: 'retrying',
    lastError: { processor: 'b', code: 'E', message: 'not yet' }
  })
  t.strictSame(outcome({ a: failed }), { status: 'done' }, 'the failed processor is no longer configured')
  t.strictSame(outcome({ a: started }, true), { status: 'retrying' }, 'it crashed its worker')
})

t.test('describes an error by its code, or by its name', async (t) => {
  t.strictSame(describeError(new PermanentError('never', { code: 'NO_FIELD' })), {
    code: 'NO_FIELD',
    message: 'never'
  })
  t.match(describeError(new TypeError('no socket')), { code: 'TypeError', message: 'no socket' })
})
