import { deepStrictEqual } from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb'
import fc from 'fast-check'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import type { AssetEvent } from '../../../app/ingest/event.ts'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import {
  type Attempt,
  Journal,
  type JournalEntry,
  type JournalOptions,
  UNFINISHED
} from '../../../app/journal/journal.ts'
import { feedShard, JOURNAL } from '../../../app/journal/journal-table.ts'
import type { ProcessorRecord, ProcessorRecords } from '../../../app/journal/processor-record.ts'
import { SERIALIZERS } from '../../../app/logger.ts'
import { memoryJournal } from '../../../app/testing/memory-journal.ts'
import { startDynamoDb } from '../../../dev/embedded-dynamodb.ts'
import { HAPPENED_AT, sampleEvent } from '../../support/events.ts'

const dynamoDb = await startDynamoDb()
Object.assign(process.env, dynamoDb.environment)
const client = createDynamoDbClient()
const { tableName: TableName } = dynamoDb
t.teardown(async () => {
  client.destroy()
  await dynamoDb.stop()
})

const NOW = HAPPENED_AT.getTime() + 5000
const HOUR_MS = 3_600_000
const ran = { at: '2026-06-01T12:00:06.000Z', milliseconds: 12, attempts: 1, waits: 0 }
const started: ProcessorRecord = { outcome: 'started', at: ran.at, attempts: 1, waits: 0 }
const succeeded: ProcessorRecord = { ...ran, outcome: 'succeeded' }
const failed: ProcessorRecord = {
  ...ran,
  outcome: 'failed',
  code: 'ETIMEDOUT',
  message: 'too slow',
  notBefore: '2026-06-01T12:00:08.000Z'
}
const dead: ProcessorRecord = { ...ran, outcome: 'dead', code: 'GONE', message: 'gone' }

function build(options: Partial<JournalOptions> = {}) {
  const lines: Record<string, unknown>[] = []
  let wake = () => {}
  const log = pino(
    { serializers: SERIALIZERS },
    {
      write: (line) => {
        lines.push(JSON.parse(line))
        wake()
      }
    }
  )
  const journal = new Journal({ client, tableName: TableName, clock: () => NOW, pauseMs: 1, ...options })
  const waiting = { signal: new AbortController().signal, log }
  /** Begins an attempt unless the event is finished, with `started` as its first records. */
  const begin = (event: AssetEvent, started: ProcessorRecords = {}, signal = waiting.signal) =>
    journal.begin(
      event,
      (entry) =>
        entry && !UNFINISHED.includes(entry.status) && event.run?.id === entry.run
          ? { outcome: 'finished' as const }
          : { outcome: 'begun' as const, started, entry },
      { signal, log }
    )
  const mustBegin = async (event: AssetEvent, started: ProcessorRecords = {}): Promise<Attempt> => {
    const begun = await begin(event, started)
    if (begun.outcome === 'finished') throw new Error('it is finished')
    return begun.attempt
  }
  /** Resolves when something has been logged. */
  const logged = async () => {
    if (lines.length > 0) return
    await new Promise<void>((resolve) => {
      wake = resolve
    })
  }
  return { journal, begin, mustBegin, lines, logged, waiting }
}

/** An event of its own. */
const newEvent = (change: Partial<AssetEvent> = {}): AssetEvent => ({
  ...sampleEvent('upload'),
  id: randomUUID().replaceAll('-', ''),
  ...change
})

const asRun = (event: AssetEvent, id: string, kind: 'redrive' | 'replay' = 'redrive'): AssetEvent => ({
  ...event,
  run: { kind, id }
})

/** The item as DynamoDB has it. */
async function itemOf({ id }: AssetEvent): Promise<Record<string, unknown>> {
  const { Item } = await client.send(new GetCommand({ TableName, Key: { id }, ConsistentRead: true }))
  return Item ?? {}
}

/** Comes between requests and what DynamoDB does with them, and counts them. */
function intercept(t: Test, before: (request: IncomingMessage, response: ServerResponse) => void = () => {}) {
  let calls = 0
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    calls++
    before(request, response)
  }
  const end = () => dynamoDb.server.off('request', listener)
  dynamoDb.server.prependListener('request', listener)
  t.teardown(end)
  return { calls: () => calls, end }
}

const breakOff = (request: IncomingMessage) => void request.destroy()
/** What was asked for is done, but the connection breaks off before the answer. */
const loseAnswer = (_request: IncomingMessage, response: ServerResponse) => {
  response.end = () => response.destroy()
}

t.test('an attempt that begins records what the event is, and what starts', async (t) => {
  const { begin } = build()
  const event = newEvent({ traceId: 'Root=1-2-3' })
  t.match(await begin(event, { tag: started }), {
    outcome: 'begun',
    entry: undefined,
    attempt: { eventId: event.id, openedAt: '2026-06-01T12:00:05.789Z', before: {} }
  })
  const { payload, attemptId, ...item } = await itemOf(event)
  t.ok(payload)
  t.type(attemptId, 'string')
  const { payload: _, group, ...described } = event
  t.strictSame(item, {
    ...described,
    status: 'processing',
    attempts: 1,
    processors: { tag: started },
    startedAt: '2026-06-01T12:00:05.789Z',
    openedAt: '2026-06-01T12:00:05.789Z',
    feedShard: feedShard(event.id, event.receivedAt),
    expiresAt: Math.floor(NOW / 1000) + 30 * 24 * 60 * 60
  })
})

t.test('an event that is about no asset is recorded as well', async (t) => {
  const { begin } = build()
  const event = { ...sampleEvent('create_folder'), id: newEvent().id }
  t.equal(event.asset, null)
  t.match(await begin(event), { outcome: 'begun' })
  t.match(await itemOf(event), { asset: null, type: 'create_folder' })
})

t.test('a later attempt is given what earlier ones recorded', async (t) => {
  const { journal, begin, mustBegin, waiting } = build()
  const event = newEvent()
  await mustBegin(event, { tag: started })
  const second = await mustBegin(event)
  t.strictSame(second.before, { tag: started }, 'the first one ended without a record')
  const note = { ...succeeded, note: 'tagged "Hello World!"' }
  await journal.record(second, { tag: note, stamp: failed }, { status: 'retrying' }, waiting)
  const third = await begin(event, { stamp: started })
  t.match(third, {
    entry: { status: 'retrying', attempts: 2, processors: { tag: note, stamp: failed } },
    attempt: { before: { tag: note, stamp: failed }, openedAt: second.openedAt }
  })
  t.match(await journal.find(event.id), { attempts: 3, processors: { tag: note, stamp: started } })
})

t.test('what an event was is written once, whoever delivers it again', async (t) => {
  let now = NOW
  const { mustBegin } = build({ clock: () => now })
  const event = newEvent()
  await mustBegin(event)
  const { attemptId: _, expiresAt: __, ...first } = await itemOf(event)
  now += 24 * HOUR_MS
  await mustBegin({ ...event, receivedAt: new Date(now).toISOString(), payload: { another: true } })
  const { attemptId, expiresAt, ...second } = await itemOf(event)
  t.strictSame(second, { ...first, attempts: 2 })
})

t.test("each processor's record is kept under its name, whatever the name is made of", async (t) => {
  const { journal, mustBegin, waiting } = build()
  const event = newEvent()
  const names = ['a.b', 'a', 'b-c', '_', '0', '-.-', 'status', 'processors', 'constructor', 'x'.repeat(64)]
  const records = Object.fromEntries(names.map((name) => [name, { ...succeeded, note: name }]))
  await journal.record(await mustBegin(event), records, undefined, waiting)
  const found = await journal.find(event.id)
  deepStrictEqual(found?.processors, records)
  t.equal(found?.status, 'processing')
})

t.test('the last record of an attempt says the state of the event', async (t) => {
  const { journal, mustBegin, waiting } = build()
  const event = newEvent()
  const lastError = { processor: 'stamp', code: 'ETIMEDOUT', message: 'too slow' }
  const first = await mustBegin(event)
  await journal.record(first, { stamp: failed }, { status: 'retrying', lastError }, waiting)
  const retrying = await itemOf(event)
  t.match(retrying, { status: 'retrying', lastError })
  t.notOk('finishedAt' in retrying)

  const second = await mustBegin(event, { stamp: started })
  t.match(await itemOf(event), { status: 'processing' })
  await journal.record(second, { stamp: dead }, { status: 'dead', lastError }, waiting)
  t.match(await itemOf(event), {
    status: 'dead',
    lastError,
    finishedAt: '2026-06-01T12:00:05.789Z',
    processors: { stamp: dead }
  })
})

t.test('a finished event does not begin, and is not ignored', async (t) => {
  const { journal, begin, mustBegin, waiting } = build()
  const done = newEvent()
  await journal.record(await mustBegin(done), { tag: succeeded }, { status: 'done' }, waiting)
  const dies = newEvent()
  await journal.record(await mustBegin(dies), { tag: dead }, { status: 'dead' }, waiting)
  const ignored = newEvent()
  await journal.ignore(ignored, 'no processor is on it', waiting)
  for (const event of [done, dies, ignored]) {
    const before = await itemOf(event)
    t.strictSame(await begin(event), { outcome: 'finished' })
    await journal.ignore(event, 'another reason', waiting)
    t.strictSame(await itemOf(event), before)
  }
})

t.test('only the last attempt records what it did', async (t) => {
  const { journal, mustBegin, waiting } = build()
  const event = newEvent()
  const lost = await mustBegin(event, { tag: started })
  const current = await mustBegin(event, { tag: { ...started, attempts: 2 } })
  t.equal(await journal.record(lost, { tag: succeeded }, { status: 'done' }, waiting), false)
  t.match(await journal.find(event.id), { status: 'processing', processors: { tag: { attempts: 2 } } })
  t.equal(await journal.record(current, { tag: failed }, { status: 'retrying' }, waiting), true)
  t.equal(await journal.record(lost, { tag: succeeded }, { status: 'done' }, waiting), false)
  t.match(await journal.find(event.id), { status: 'retrying', processors: { tag: failed } })
  const gone = { ...current, eventId: newEvent().id }
  t.equal(
    await journal.record(gone, { tag: succeeded }, { status: 'done' }, waiting),
    false,
    'it has expired'
  )
})

t.test('two workers that begin an event at once do not both hold it', async (t) => {
  const { journal, mustBegin, waiting } = build()
  for (let round = 0; round < 5; round++) {
    const event = newEvent()
    if (round % 2 === 1) await mustBegin(event)
    const attempts = await Promise.all([mustBegin(event), mustBegin(event), mustBegin(event)])
    const recorded = await Promise.all(
      attempts.map((attempt) => journal.record(attempt, { tag: succeeded }, { status: 'retrying' }, waiting))
    )
    t.equal(recorded.filter(Boolean).length, 1)
  }
})

t.test('an event that no processor runs for is recorded with the reason', async (t) => {
  const { journal, waiting } = build()
  const event = newEvent()
  await journal.ignore(event, "a change made with the listener's own key", waiting)
  const item = await itemOf(event)
  t.match(item, {
    status: 'ignored',
    reason: "a change made with the listener's own key",
    finishedAt: '2026-06-01T12:00:05.789Z',
    type: 'upload',
    receivedAt: event.receivedAt
  })
  t.notOk('startedAt' in item)
  t.strictSame(await journal.find(event.id), { event, status: 'ignored', attempts: 0, processors: {} })
})

t.test('an event that waits for its next attempt may be ignored, by another configuration', async (t) => {
  const { journal, mustBegin, waiting } = build()
  const event = newEvent()
  await journal.record(await mustBegin(event), { tag: failed }, { status: 'retrying' }, waiting)
  await journal.ignore(event, 'no processor is on it', waiting)
  t.match(await journal.find(event.id), { status: 'ignored', attempts: 1, processors: { tag: failed } })
})

t.test('an event is found as it was', async (t) => {
  const { journal, mustBegin } = build()
  const event = newEvent({
    payload: { text: 'ä€😀\u0000\ud800', deep: [[{ '': null }]], huge: 1e300, 'a.b': '' }
  })
  await mustBegin(event)
  t.match(await journal.find(event.id), { status: 'processing', attempts: 1, processors: {} })
  t.strictSame((await journal.find(event.id))?.event, event)
})

t.test('an event that the journal does not know is not found', async (t) => {
  t.equal(await build().journal.find(newEvent().id), undefined)
})

t.test(
  'a payload of up to 300 KB, compressed, is kept, and beside it the messages of many processors',
  async (t) => {
    const { journal, mustBegin, waiting } = build()
    const event = newEvent({ payload: { incompressible: randomBytes(292 * 1024).toString('base64') } })
    const attempt = await mustBegin(event)
    const message = '€'.repeat(10_000)
    const records = Object.fromEntries(
      Array.from({ length: 40 }, (_, index): [string, ProcessorRecord] => [
        `${'x'.repeat(60)}-${index}`,
        { ...dead, message }
      ])
    )
    const lastError = { processor: 'x', code: 'LONG', message }
    await journal.record(attempt, records, { status: 'retrying', lastError }, waiting)
    const found = await journal.find(event.id)
    t.strictSame(found?.event, event)
    t.equal(Object.keys(found?.processors ?? {}).length, 40)
    t.match(await itemOf(event), { lastError: { message: message.slice(0, 500) } })
  }
)

t.test('a larger payload is left out', async (t) => {
  const { journal, mustBegin } = build()
  const event = newEvent({ payload: { incompressible: randomBytes(310 * 1024).toString('base64') } })
  await mustBegin(event)
  t.match(await itemOf(event), { payloadOmitted: true, payload: undefined, type: 'upload' })
  t.match(await journal.find(event.id), { event: undefined, status: 'processing' })
})

t.test("an operator's run opens a finished event, once for each run", async (t) => {
  const { journal, begin, mustBegin, waiting } = build()
  const event = newEvent()
  await mustBegin(event)
  const lastError = { processor: 'tag', code: 'GONE', message: 'gone' }
  await journal.record(await mustBegin(event), { tag: dead }, { status: 'dead', lastError }, waiting)

  const redrive = asRun(event, 'run-1')
  t.match(await mustBegin(redrive), { before: { tag: dead } }, 'what was done is known')
  const open = await itemOf(event)
  t.match(open, { status: 'processing', run: 'run-1', attempts: 1, startedAt: '2026-06-01T12:00:05.789Z' })
  for (const name of ['finishedAt', 'lastError']) t.notOk(name in open, `no ${name} while it is open`)

  const record = { ...succeeded, run: 'run-1' }
  await journal.record(await mustBegin(redrive), { tag: record }, { status: 'done' }, waiting)
  t.match(await itemOf(event), { attempts: 2 }, 'delivered again, it is the same run')
  t.strictSame(await begin(redrive), { outcome: 'finished' })

  const replay = asRun(event, 'run-2', 'replay')
  const attempt = await mustBegin(replay)
  t.strictSame(attempt.before, { tag: record })
  await journal.record(attempt, { tag: record }, { status: 'done' }, waiting)
  t.strictSame(await begin(replay), { outcome: 'finished' })
})

t.test('an event that was ignored can be run after all', async (t) => {
  const { journal, mustBegin, waiting } = build()
  const event = newEvent()
  await journal.ignore(event, 'no processor is on it', waiting)
  const attempt = await mustBegin(asRun(event, 'run', 'replay'))
  await journal.record(attempt, { tag: succeeded }, { status: 'done' }, waiting)
  const item = await itemOf(event)
  t.match(item, { status: 'done', processors: { tag: succeeded } })
  t.notOk('reason' in item)
})

t.test('an event that the journal has forgotten is recorded anew when it is run again', async (t) => {
  const { mustBegin } = build()
  const event = newEvent()
  await mustBegin(asRun(event, 'run'))
  t.match(await itemOf(event), { run: 'run', type: 'upload', feedShard: String, expiresAt: Number })
})

t.test('an event with one processor is two writes, and one that is ignored is one', async (t) => {
  const { journal, mustBegin, waiting } = build()
  const { calls } = intercept(t)
  const event = newEvent()
  await journal.record(await mustBegin(event), { tag: succeeded }, { status: 'done' }, waiting)
  t.equal(calls(), 2)
  await journal.ignore(newEvent(), 'no processor is on it', waiting)
  t.equal(calls(), 3)
})

t.test('whatever makes an event live again renews its expiry', async (t) => {
  let now = 1_780_000_000_999
  const { journal, mustBegin, waiting } = build({ retentionDays: 2, clock: () => now })
  const event = newEvent()
  const expiry = async () => (await itemOf(event))[JOURNAL.timeToLive]
  const inTwoDays = () => Math.floor(now / 1000) + 2 * 86_400
  const attempt = await mustBegin(event)
  t.equal(await expiry(), inTwoDays())
  now += HOUR_MS
  await journal.record(attempt, { tag: dead }, { status: 'dead' }, waiting)
  t.equal(await expiry(), inTwoDays())
  now += 47 * HOUR_MS
  const redrive = await mustBegin(asRun(event, 'run-1'))
  t.equal(await expiry(), inTwoDays(), 'a redrive')
  now += HOUR_MS
  await journal.record(redrive, { tag: succeeded }, { status: 'done' }, waiting)
  t.equal(await expiry(), inTwoDays())
  const ignored = newEvent()
  await journal.ignore(ignored, 'no processor is on it', waiting)
  now += HOUR_MS
  await mustBegin(asRun(ignored, 'run-1', 'replay'))
  t.equal((await itemOf(ignored))[JOURNAL.timeToLive], inTwoDays(), 'a replay of what was ignored')
})

t.test('the feed has the events of a shard in order of time, without their payload', async (t) => {
  const { mustBegin } = build()
  const events = [3, 1, 2].map((second) =>
    newEvent({ id: `f${newEvent().id.slice(1)}`, receivedAt: `2030-01-02T00:00:0${second}.000Z` })
  )
  for (const event of events) await mustBegin(event)
  const { Items } = await client.send(
    new QueryCommand({
      TableName,
      IndexName: JOURNAL.feedIndex.name,
      KeyConditionExpression: 'feedShard = :shard',
      ExpressionAttributeValues: { ':shard': '2030-01-02#f' }
    })
  )
  t.strictSame(
    Items?.map(({ receivedAt }) => receivedAt),
    ['2030-01-02T00:00:01.000Z', '2030-01-02T00:00:02.000Z', '2030-01-02T00:00:03.000Z']
  )
  for (const item of Items ?? []) {
    t.notOk('payload' in item)
    t.match(item, { type: 'upload', status: 'processing', attempts: 1, asset: { publicId: String } })
  }
})

t.test('while DynamoDB does not answer, each call is retried until it does', async (t) => {
  const { journal, mustBegin, waiting, lines, logged } = build()
  const event = newEvent()
  const ignored = newEvent()
  const untimed = newEvent({ signedAt: HAPPENED_AT.toISOString() })
  let attempt: Attempt | undefined
  const calls = [
    async () => void (await journal.identify(untimed, waiting)),
    async () => {
      attempt = await mustBegin(event, { tag: started })
    },
    async () => void (await journal.record(attempt!, { tag: succeeded }, { status: 'done' }, waiting)),
    () => journal.ignore(ignored, 'no processor is on it', waiting)
  ]
  for (const call of calls) {
    lines.length = 0
    const outage = intercept(t, breakOff)
    const called = call()
    await logged()
    outage.end()
    await called
    t.match(lines[0], { level: 50, code: 'JOURNAL_UNAVAILABLE', err: { message: String } })
  }
  t.match(await journal.find(event.id), { status: 'done', attempts: 1, processors: { tag: succeeded } })
  t.match(await journal.find(ignored.id), { status: 'ignored' })
})

t.test('a write whose answer was lost has the same result when it is repeated', async (t) => {
  const { journal, mustBegin, waiting } = build()
  const event = newEvent()
  const losingAnswers = async <Result>(call: () => Promise<Result>): Promise<Result> => {
    const loss = intercept(t, (request, response) => {
      if (loss.calls() <= 2) loseAnswer(request, response)
    })
    const result = await call()
    loss.end()
    t.ok(loss.calls() > 2)
    return result
  }
  for (const attempts of [1, 2, 3]) {
    const record = { ...started, attempts }
    const attempt = await losingAnswers(() => mustBegin(event, { tag: record }))
    t.match(await journal.find(event.id), { status: 'processing', attempts, processors: { tag: record } })
    const write = () => journal.record(attempt, { tag: failed }, { status: 'retrying' }, waiting)
    t.equal(await losingAnswers(write), true)
    t.match(await journal.find(event.id), { status: 'retrying', attempts, processors: { tag: failed } })
  }
  const redrive = asRun(event, 'run-1')
  await losingAnswers(() => mustBegin(redrive))
  t.match(await journal.find(event.id), { attempts: 1, run: 'run-1' })
})

t.test('an attempt counts once, however often all the answers to its write are lost', async (t) => {
  const { journal, mustBegin, lines } = build()
  const event = newEvent()
  await mustBegin(event, { tag: started })
  // the SDK gives up after four tries
  const loss = intercept(t, (request, response) => {
    if (loss.calls() <= 9) loseAnswer(request, response)
  })
  const begun = mustBegin(event, { tag: { ...started, attempts: 2 } })
  await begun
  loss.end()
  t.ok(lines.length >= 2)
  t.match(await journal.find(event.id), { attempts: 2, processors: { tag: { attempts: 2 } } })
})

t.test('a worker that stops waits for DynamoDB no longer, after one more try', async (t) => {
  const { journal, mustBegin, waiting, logged } = build({ pauseMs: 60_000 })
  const event = newEvent()
  const attempt = await mustBegin(event)
  const outage = intercept(t, breakOff)
  const stop = new AbortController()
  const record = () =>
    journal.record(attempt, { tag: succeeded }, { status: 'done' }, { ...waiting, signal: stop.signal })
  const refused = t.rejects(record(), { name: 'ListenerError', code: 'JOURNAL_UNAVAILABLE', cause: Error })
  await logged()
  const before = outage.calls()
  stop.abort()
  await refused
  t.ok(outage.calls() > before)

  outage.end()
  await record()
  t.match(await journal.find(event.id), { status: 'done' }, 'what can be recorded in its last moments is')
})

t.test('what DynamoDB refuses for good, and a defect of ours, are not retried', async (t) => {
  const { journal, mustBegin, waiting, lines } = build()
  const attempt = await mustBegin(newEvent())
  const { calls } = intercept(t)
  const tooLarge = Object.fromEntries(
    Array.from({ length: 900 }, (_, index) => [`p${index}`, { ...dead, message: 'x'.repeat(500) }])
  )
  const refused = { code: 'JOURNAL_UNAVAILABLE', cause: { name: 'ValidationException' } }
  await t.rejects(journal.record(attempt, tooLarge, undefined, waiting), refused)
  t.equal(calls(), 1)
  const unwritable = { tag: { ...succeeded, note: Symbol('unwritable') as unknown as string } }
  await t.rejects(journal.record(attempt, unwritable, undefined, waiting), { code: 'JOURNAL_UNAVAILABLE' })
  t.equal(calls(), 1)
  t.strictSame(lines, [])
})

t.test('an operator is told at once when DynamoDB refuses', async (t) => {
  const { journal } = build({ tableName: 'a-table-that-is-not-there' })
  await t.rejects(journal.find(newEvent().id), {
    code: 'JOURNAL_UNAVAILABLE',
    cause: { name: 'ResourceNotFoundException' }
  })
})

t.test('an event that states its time, or that the journal does not know, keeps its id', async (t) => {
  const { journal, waiting } = build()
  const { calls } = intercept(t)
  const timed = newEvent()
  t.equal(await journal.identify(timed, waiting), timed)
  t.equal(calls(), 0, 'and costs nothing')
  const untimed = newEvent({ signedAt: HAPPENED_AT.toISOString() })
  t.equal(await journal.identify(untimed, waiting), untimed)
})

t.test('a body without a time is the same event within an hour, and a later one after it', async (t) => {
  const { journal, mustBegin, waiting } = build()
  const signed = (minutes: number) => new Date(HAPPENED_AT.getTime() + minutes * 60_000).toISOString()
  const event = newEvent({ type: 'delete', signedAt: signed(0) })
  const idAfter = async (minutes: number) => {
    const identified = await journal.identify({ ...event, signedAt: signed(minutes) }, waiting)
    const attempt = await mustBegin(identified)
    await journal.record(attempt, { tag: succeeded }, { status: 'retrying' }, waiting)
    return identified.id
  }
  const first = await idAfter(0)
  t.equal(first, event.id)
  for (const minutes of [0, 3, 39, 60]) t.equal(await idAfter(minutes), first, `signed ${minutes} min later`)
  const second = await idAfter(61)
  t.not(second, first, 'another change')
  for (const minutes of [61, 64, 100, 121]) t.equal(await idAfter(minutes), second)
  const third = await idAfter(122)
  t.notOk([first, second].includes(third))
  t.equal(await idAfter(125), third)
  t.equal(await idAfter(61), second, 'SQS delivers an older one again')
  t.equal(await idAfter(125), third)
  t.equal(await idAfter(0), first)
  const redriven = { ...event, id: second, signedAt: signed(61), run: { kind: 'redrive', id: 'r' } as const }
  t.equal((await journal.identify(redriven, waiting)).id, second, 'an identified event keeps its id')
})

t.test('the clock, 30 days and a second are the defaults', async (t) => {
  const event = newEvent()
  const plain = new Journal({ client, tableName: TableName })
  const before = Math.floor(Date.now() / 1000)
  await plain.ignore(event, 'no processor is on it', build().waiting)
  const { expiresAt, finishedAt } = await itemOf(event)
  t.ok(Number(expiresAt) >= before + 30 * 86_400)
  t.ok(Math.abs(Date.parse(String(finishedAt)) - Date.now()) < 60_000)
})

t.test('whatever happens to an event, the journal says what one in memory says', async () => {
  const records = fc.dictionary(
    fc.constantFrom('a.b', 'c-d'),
    fc.constantFrom(started, succeeded, failed, dead),
    { noNullPrototype: true }
  )
  const verdict = fc.constantFrom('retrying', 'done', 'dead').map((status) => ({ status }) as const)
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('begin'), records }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('run'), run: fc.constantFrom('1', '2'), records })
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('ignore') }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('record'),
        attempt: fc.nat(3),
        records,
        verdict: fc.option(verdict, { nil: undefined })
      })
    }
  )
  const { journal, waiting } = build()
  const decide = (event: AssetEvent, started: ProcessorRecords) => (entry: JournalEntry | undefined) =>
    entry && !UNFINISHED.includes(entry.status) && event.run?.id === entry.run
      ? { outcome: 'finished' as const }
      : { outcome: 'begun' as const, started }
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const event = newEvent()
      const model = memoryJournal(() => NOW)
      const both = [journal, model.journal].map((journal) => ({ journal, attempts: [] as Attempt[] }))
      for (const step of steps) {
        const answers: unknown[] = []
        for (const { journal, attempts } of both) {
          if (step.kind === 'begin' || step.kind === 'run') {
            const one = 'run' in step ? asRun(event, step.run) : event
            const begun = await journal.begin(one, decide(one, step.records), waiting)
            if (begun.outcome === 'begun') attempts.unshift(begun.attempt)
            const { id: _, ...attempt } = 'attempt' in begun ? begun.attempt : ({} as Attempt)
            answers.push(begun.outcome, attempt)
          } else if (step.kind === 'ignore') {
            answers.push(await journal.ignore(event, 'reason', waiting))
          } else if ('attempt' in step && attempts[step.attempt]) {
            const attempt = attempts[step.attempt] as Attempt
            answers.push(await journal.record(attempt, step.records, step.verdict, waiting))
          }
        }
        deepStrictEqual(answers.slice(0, answers.length / 2), answers.slice(answers.length / 2))
      }
      const found = await journal.find(event.id)
      const entry = model.entries.get(event.id)
      deepStrictEqual(
        found && [found.status, found.attempts, found.processors],
        entry && [entry.status, entry.attempts, entry.processors]
      )
    }),
    { numRuns: 60 }
  )
})
