import { deepStrictEqual } from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb'
import fc from 'fast-check'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import type { AssetEvent } from '../../../app/ingest/event.ts'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import { type Attempt, Journal, type JournalOptions } from '../../../app/journal/journal.ts'
import { type JournalEntry, UNFINISHED } from '../../../app/journal/journal-entry.ts'
import { JournalReader } from '../../../app/journal/journal-reader.ts'
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

const reader = new JournalReader({ client, tableName: TableName })

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
  const call = { signal: new AbortController().signal, log }
  /** Starts an attempt unless the event is finished. */
  const start = (event: AssetEvent, started: ProcessorRecords = {}, signal = call.signal) =>
    journal.startAttempt(
      event,
      (entry) =>
        entry && !UNFINISHED.includes(entry.status) && event.run?.id === entry.run
          ? { outcome: 'finished' as const }
          : { outcome: 'due' as const, started, entry },
      { signal, log }
    )
  const mustStart = async (event: AssetEvent, started: ProcessorRecords = {}): Promise<Attempt> => {
    const result = await start(event, started)
    if (result.outcome === 'finished') throw new Error('the event is finished')
    return result.attempt
  }
  /** Resolves when something has been logged. */
  const logged = async () => {
    if (lines.length > 0) return
    await new Promise<void>((resolve) => {
      wake = resolve
    })
  }
  return { journal, start, mustStart, lines, logged, call }
}

/** An event with a unique id. */
const newEvent = (change: Partial<AssetEvent> = {}): AssetEvent => ({
  ...sampleEvent('upload'),
  id: randomUUID().replaceAll('-', ''),
  ...change
})

const asRun = (event: AssetEvent, id: string, kind: 'redrive' | 'replay' = 'redrive'): AssetEvent => ({
  ...event,
  run: { kind, id }
})

/** The item in DynamoDB. */
async function itemOf({ id }: AssetEvent): Promise<Record<string, unknown>> {
  const { Item } = await client.send(new GetCommand({ TableName, Key: { id }, ConsistentRead: true }))
  return Item ?? {}
}

/** Calls `before` with each request to DynamoDB, and counts them. */
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

const closeConnection = (request: IncomingMessage) => void request.destroy()
/** Carries out the request, and closes the connection before the response. */
const loseResponse = (_request: IncomingMessage, response: ServerResponse) => {
  response.end = () => response.destroy()
}

t.test('starting an attempt records the event and the records of what starts', async (t) => {
  const { start } = build()
  const event = newEvent({ traceId: 'Root=1-2-3' })
  t.match(await start(event, { tag: started }), {
    outcome: 'due',
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
    attemptStartedAt: '2026-06-01T12:00:05.789Z',
    feedShard: feedShard(event.id, event.receivedAt),
    historyKey: group,
    expiresAt: Math.floor(NOW / 1000) + 30 * 24 * 60 * 60
  })
})

t.test('records an event without an asset', async (t) => {
  const { start } = build()
  const event = { ...sampleEvent('create_folder'), id: newEvent().id }
  t.equal(event.asset, null)
  t.match(await start(event), { outcome: 'due' })
  t.match(await itemOf(event), { asset: null, type: 'create_folder' })
})

t.test('a later attempt gets the records of earlier ones', async (t) => {
  const { journal, start, mustStart, call } = build()
  const event = newEvent()
  await mustStart(event, { tag: started })
  const second = await mustStart(event)
  t.strictSame(second.before, { tag: started }, 'the first attempt recorded no outcome')
  const note = { ...succeeded, note: 'tagged "Hello World!"' }
  await journal.record(second, { tag: note, stamp: failed }, { status: 'retrying' }, call)
  const third = await start(event, { stamp: started })
  t.match(third, {
    entry: { status: 'retrying', attempts: 2, processors: { tag: note, stamp: failed } },
    attempt: { before: { tag: note, stamp: failed }, openedAt: second.openedAt }
  })
  t.match(await reader.find(event.id), { attempts: 3, processors: { tag: note, stamp: started } })
})

t.test('writes the description of an event once', async (t) => {
  let now = NOW
  const { mustStart } = build({ clock: () => now })
  const event = newEvent()
  await mustStart(event)
  const { attemptId: _, expiresAt: __, ...first } = await itemOf(event)
  now += 24 * HOUR_MS
  await mustStart({ ...event, receivedAt: new Date(now).toISOString(), payload: { another: true } })
  const { attemptId, expiresAt, history, ...second } = await itemOf(event)
  t.strictSame(second, { ...first, attempts: 2, attemptStartedAt: new Date(now).toISOString() })
})

t.test('keeps the earlier attempts of an event', async (t) => {
  const { journal, mustStart, call } = build()
  const event = newEvent()
  const first = await mustStart(event, { stamp: started })
  t.equal((await itemOf(event)).history, undefined, 'an event has none at its first attempt')
  await journal.record(first, { stamp: failed }, { status: 'retrying' }, call)
  const second = await mustStart(event, { stamp: started })
  const attempt = {
    id: first.id,
    startedAt: '2026-06-01T12:00:05.789Z',
    endedAt: ran.at,
    processors: { stamp: { outcome: 'failed', milliseconds: 12, code: 'ETIMEDOUT', message: 'too slow' } }
  }
  t.strictSame((await itemOf(event)).history, [attempt])
  await journal.record(second, { stamp: failed }, { status: 'retrying' }, call)
  for (let number = 3; number <= 25; number++) {
    const next = await mustStart(event, { stamp: started })
    await journal.record(next, { stamp: failed }, { status: 'retrying' }, call)
  }
  const { history, attempts } = await itemOf(event)
  t.equal(attempts, 25)
  t.equal((history as unknown[]).length, 19, 'the last one is in the records')
})

t.test('the context of a trace is kept for a replay, and takes no attribute', async (t) => {
  const { mustStart } = build()
  const event = newEvent({ traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' })
  await mustStart(event)
  t.notOk('traceparent' in (await itemOf(event))!)
  t.equal((await reader.find(event.id))?.event?.traceparent, event.traceparent)
})

t.test('an event fits into an item with the largest payload, history and records', async (t) => {
  const { journal, mustStart, call } = build()
  const event = newEvent({ payload: { blob: randomBytes(220 * 1024).toString('base64') } })
  const worst = { ...failed, code: '€'.repeat(2000), message: '€'.repeat(2000) }
  const records = Object.fromEntries(Array.from({ length: 18 }, (_, index) => [`processor-${index}`, worst]))
  // the history is full after the third
  for (let number = 1; number <= 5; number++) {
    const attempt = await mustStart(event)
    await journal.record(attempt, records, { status: 'retrying' }, call)
  }
  const { payload, history } = await itemOf(event)
  t.ok((payload as Uint8Array).length > 210 * 1024)
  const bytes = Buffer.byteLength(JSON.stringify(history))
  t.ok(bytes > 16 * 1024 && bytes <= 33 * 1024, `${bytes} bytes`)
})

t.test('an unfinished event is in an index by status', async (t) => {
  const { journal, mustStart, call } = build()
  const shardOf = async (event: AssetEvent) => (await itemOf(event)).unfinishedShard
  const event = newEvent({ id: `6${newEvent().id.slice(1)}` })
  const first = await mustStart(event)
  t.equal(await shardOf(event), undefined)
  await journal.record(first, { stamp: failed }, undefined, call)
  t.equal(await shardOf(event), undefined, 'the attempt continues')
  await journal.record(first, { stamp: failed }, { status: 'retrying' }, call)
  t.equal(await shardOf(event), 'retrying#2')
  await journal.record(await mustStart(event), { stamp: dead }, { status: 'dead' }, call)
  t.equal(await shardOf(event), 'dead#2')
  const again = await mustStart(asRun(event, 'run-1'))
  await journal.record(again, { stamp: succeeded }, { status: 'done' }, call)
  t.equal(await shardOf(event), undefined)
  const other = newEvent()
  await journal.record(await mustStart(other), { stamp: failed }, { status: 'retrying' }, call)
  await journal.ignore(other, 'no processor handles it', call)
  t.equal(await shardOf(other), undefined)
})

t.test("each processor's record is kept under its name, whatever the name is made of", async (t) => {
  const { journal, mustStart, call } = build()
  const event = newEvent()
  const names = ['a.b', 'a', 'b-c', '_', '0', '-.-', 'status', 'processors', 'constructor', 'x'.repeat(64)]
  const records = Object.fromEntries(names.map((name) => [name, { ...succeeded, note: name }]))
  await journal.record(await mustStart(event), records, undefined, call)
  const found = await reader.find(event.id)
  deepStrictEqual(found?.processors, records)
  t.equal(found?.status, 'processing')
})

t.test('the last record of an attempt sets the status of the event', async (t) => {
  const { journal, mustStart, call } = build()
  const event = newEvent()
  const lastError = { processor: 'stamp', code: 'ETIMEDOUT', message: 'too slow' }
  const first = await mustStart(event)
  await journal.record(first, { stamp: failed }, { status: 'retrying', lastError }, call)
  const retrying = await itemOf(event)
  t.match(retrying, { status: 'retrying', lastError })
  t.notOk('finishedAt' in retrying)

  const second = await mustStart(event, { stamp: started })
  t.match(await itemOf(event), { status: 'processing' })
  await journal.record(second, { stamp: dead }, { status: 'dead', lastError }, call)
  t.match(await itemOf(event), {
    status: 'dead',
    lastError,
    finishedAt: '2026-06-01T12:00:05.789Z',
    processors: { stamp: dead }
  })
})

t.test('neither starts nor ignores a finished event', async (t) => {
  const { journal, start, mustStart, call } = build()
  const done = newEvent()
  await journal.record(await mustStart(done), { tag: succeeded }, { status: 'done' }, call)
  const dies = newEvent()
  await journal.record(await mustStart(dies), { tag: dead }, { status: 'dead' }, call)
  const ignored = newEvent()
  await journal.ignore(ignored, 'no processor is on it', call)
  for (const event of [done, dies, ignored]) {
    const before = await itemOf(event)
    t.strictSame(await start(event), { outcome: 'finished' })
    await journal.ignore(event, 'another reason', call)
    t.strictSame(await itemOf(event), before)
  }
})

t.test('only the last attempt can record its outcome', async (t) => {
  const { journal, mustStart, call } = build()
  const event = newEvent()
  const lost = await mustStart(event, { tag: started })
  const current = await mustStart(event, { tag: { ...started, attempts: 2 } })
  t.equal(await journal.record(lost, { tag: succeeded }, { status: 'done' }, call), false)
  t.match(await reader.find(event.id), { status: 'processing', processors: { tag: { attempts: 2 } } })
  t.equal(await journal.record(current, { tag: failed }, { status: 'retrying' }, call), true)
  t.equal(await journal.record(lost, { tag: succeeded }, { status: 'done' }, call), false)
  t.match(await reader.find(event.id), { status: 'retrying', processors: { tag: failed } })
  const gone = { ...current, eventId: newEvent().id }
  t.equal(await journal.record(gone, { tag: succeeded }, { status: 'done' }, call), false, 'it has expired')
})

t.test('does not start an event that another worker finishes after the read', async (t) => {
  const { journal, mustStart, call } = build()
  const event = newEvent()
  const attempt = await mustStart(event)
  const send = async (command: object) => {
    const answer = await client.send(command as never)
    if (command instanceof GetCommand)
      await journal.record(attempt, { tag: succeeded }, { status: 'done' }, call)
    return answer
  }
  const { start } = build({ client: { send } as unknown as typeof client })
  t.strictSame(await start(event), { outcome: 'finished' })
  t.match(await reader.find(event.id), { status: 'done', processors: { tag: succeeded } })
})

t.test('only one of several workers that start an event at once can record its outcome', async (t) => {
  const { journal, mustStart, call } = build()
  for (let round = 0; round < 5; round++) {
    const event = newEvent()
    if (round % 2 === 1) await mustStart(event)
    const attempts = await Promise.all([mustStart(event), mustStart(event), mustStart(event)])
    const recorded = await Promise.all(
      attempts.map((attempt) => journal.record(attempt, { tag: succeeded }, { status: 'retrying' }, call))
    )
    t.equal(recorded.filter(Boolean).length, 1)
  }
})

t.test('records an ignored event with the reason', async (t) => {
  const { journal, call } = build()
  const event = newEvent()
  await journal.ignore(event, "a change made with the listener's own key", call)
  const item = await itemOf(event)
  t.match(item, {
    status: 'ignored',
    reason: "a change made with the listener's own key",
    finishedAt: '2026-06-01T12:00:05.789Z',
    type: 'upload',
    receivedAt: event.receivedAt
  })
  t.notOk('startedAt' in item)
  t.strictSame(await reader.find(event.id), { event, status: 'ignored', attempts: 0, processors: {} })
})

t.test('ignores an event that waits for a retry, after a configuration change', async (t) => {
  const { journal, mustStart, call } = build()
  const event = newEvent()
  await journal.record(await mustStart(event), { tag: failed }, { status: 'retrying' }, call)
  await journal.ignore(event, 'no processor is on it', call)
  t.match(await reader.find(event.id), { status: 'ignored', attempts: 1, processors: { tag: failed } })
})

t.test('ignores a dead event that is redriven, after a configuration change', async (t) => {
  const { journal, mustStart, call } = build()
  const event = newEvent()
  await journal.record(await mustStart(event), { tag: dead }, { status: 'dead' }, call)
  await journal.ignore(asRun(event, 'run-1'), 'no processor is on it', call)
  t.match(await reader.find(event.id), { status: 'ignored', processors: { tag: dead } })
})

t.test('keeps a compressed payload of up to 300 KB beside the messages of many processors', async (t) => {
  const { journal, mustStart, call } = build()
  const event = newEvent({ payload: { incompressible: randomBytes(292 * 1024).toString('base64') } })
  const attempt = await mustStart(event)
  const message = '€'.repeat(10_000)
  const records = Object.fromEntries(
    Array.from({ length: 40 }, (_, index): [string, ProcessorRecord] => [
      `${'x'.repeat(60)}-${index}`,
      { ...dead, message }
    ])
  )
  const lastError = { processor: 'x', code: 'LONG', message }
  await journal.record(attempt, records, { status: 'retrying', lastError }, call)
  const found = await reader.find(event.id)
  t.strictSame(found?.event, event)
  t.equal(Object.keys(found?.processors ?? {}).length, 40)
  t.match(await itemOf(event), { lastError: { message: message.slice(0, 500) } })
})

t.test('omits a larger payload', async (t) => {
  const { mustStart } = build()
  const event = newEvent({ payload: { incompressible: randomBytes(310 * 1024).toString('base64') } })
  await mustStart(event)
  t.match(await itemOf(event), { payloadOmitted: true, payload: undefined, type: 'upload' })
  t.match(await reader.find(event.id), { event: undefined, status: 'processing' })
})

t.test('a redrive or replay reopens a finished event once', async (t) => {
  const { journal, start, mustStart, call } = build()
  const event = newEvent()
  await mustStart(event)
  const lastError = { processor: 'tag', code: 'GONE', message: 'gone' }
  await journal.record(await mustStart(event), { tag: dead }, { status: 'dead', lastError }, call)

  const redrive = asRun(event, 'run-1')
  t.match(await mustStart(redrive), { before: { tag: dead } }, 'the earlier records are kept')
  const open = await itemOf(event)
  t.match(open, { status: 'processing', run: 'run-1', attempts: 1, startedAt: '2026-06-01T12:00:05.789Z' })
  for (const name of ['finishedAt', 'lastError']) t.notOk(name in open, `no ${name} while it is open`)

  const record = { ...succeeded, run: 'run-1' }
  await journal.record(await mustStart(redrive), { tag: record }, { status: 'done' }, call)
  t.match(await itemOf(event), { attempts: 2 }, 'a redelivery belongs to the same run')
  t.strictSame(await start(redrive), { outcome: 'finished' })

  const replay = asRun(event, 'run-2', 'replay')
  const attempt = await mustStart(replay)
  t.strictSame(attempt.before, { tag: record })
  await journal.record(attempt, { tag: record }, { status: 'done' }, call)
  t.strictSame(await start(replay), { outcome: 'finished' })
})

t.test('a replay can run an ignored event', async (t) => {
  const { journal, mustStart, call } = build()
  const event = newEvent()
  await journal.ignore(event, 'no processor is on it', call)
  const attempt = await mustStart(asRun(event, 'run', 'replay'))
  await journal.record(attempt, { tag: succeeded }, { status: 'done' }, call)
  const item = await itemOf(event)
  t.match(item, { status: 'done', processors: { tag: succeeded } })
  t.notOk('reason' in item)
})

t.test('records an expired event again when it is redriven', async (t) => {
  const { mustStart } = build()
  const event = newEvent()
  await mustStart(asRun(event, 'run'))
  t.match(await itemOf(event), { run: 'run', type: 'upload', feedShard: String, expiresAt: Number })
})

t.test('an event with one processor costs two writes, and an ignored one costs one', async (t) => {
  const { journal, mustStart, call } = build()
  const { calls } = intercept(t)
  const event = newEvent()
  await journal.record(await mustStart(event), { tag: succeeded }, { status: 'done' }, call)
  t.equal(calls(), 2)
  await journal.ignore(newEvent(), 'no processor is on it', call)
  t.equal(calls(), 3)
})

t.test('each write renews the expiry of the event', async (t) => {
  let now = 1_780_000_000_999
  const { journal, mustStart, call } = build({ retentionDays: 2, clock: () => now })
  const event = newEvent()
  const expiry = async () => (await itemOf(event))[JOURNAL.timeToLive]
  const inTwoDays = () => Math.floor(now / 1000) + 2 * 86_400
  const attempt = await mustStart(event)
  t.equal(await expiry(), inTwoDays())
  now += HOUR_MS
  await journal.record(attempt, { tag: dead }, { status: 'dead' }, call)
  t.equal(await expiry(), inTwoDays())
  now += 47 * HOUR_MS
  const redrive = await mustStart(asRun(event, 'run-1'))
  t.equal(await expiry(), inTwoDays(), 'a redrive')
  now += HOUR_MS
  await journal.record(redrive, { tag: succeeded }, { status: 'done' }, call)
  t.equal(await expiry(), inTwoDays())
  const ignored = newEvent()
  await journal.ignore(ignored, 'no processor is on it', call)
  now += HOUR_MS
  await mustStart(asRun(ignored, 'run-1', 'replay'))
  t.equal((await itemOf(ignored))[JOURNAL.timeToLive], inTwoDays(), 'a replay of an ignored event')
})

t.test('the feed lists the events of a shard by time, without their payload', async (t) => {
  const { mustStart } = build()
  const events = [3, 1, 2].map((second) =>
    newEvent({ id: `f${newEvent().id.slice(1)}`, receivedAt: `2030-01-02T00:00:0${second}.000Z` })
  )
  for (const event of events) await mustStart(event)
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

t.test('retries each call until DynamoDB answers', async (t) => {
  const { journal, mustStart, call, lines, logged } = build()
  const event = newEvent()
  const ignored = newEvent()
  const untimed = newEvent({ signedAt: HAPPENED_AT.toISOString() })
  let attempt: Attempt | undefined
  const calls = [
    async () => void (await journal.identify(untimed, call)),
    async () => {
      attempt = await mustStart(event, { tag: started })
    },
    async () => void (await journal.record(attempt!, { tag: succeeded }, { status: 'done' }, call)),
    () => journal.ignore(ignored, 'no processor is on it', call)
  ]
  for (const call of calls) {
    lines.length = 0
    const outage = intercept(t, closeConnection)
    const called = call()
    await logged()
    outage.end()
    await called
    t.match(lines[0], { level: 50, code: 'JOURNAL_UNAVAILABLE', err: { message: String } })
  }
  t.match(await reader.find(event.id), { status: 'done', attempts: 1, processors: { tag: succeeded } })
  t.match(await reader.find(ignored.id), { status: 'ignored' })
})

t.test('repeating a write whose response was lost has the same result', async (t) => {
  const { journal, mustStart, call } = build()
  const event = newEvent()
  const losingResponses = async <Result>(call: () => Promise<Result>): Promise<Result> => {
    const loss = intercept(t, (request, response) => {
      if (loss.calls() <= 2) loseResponse(request, response)
    })
    const result = await call()
    loss.end()
    t.ok(loss.calls() > 2)
    return result
  }
  for (const attempts of [1, 2, 3]) {
    const record = { ...started, attempts }
    const attempt = await losingResponses(() => mustStart(event, { tag: record }))
    t.match(await reader.find(event.id), { status: 'processing', attempts, processors: { tag: record } })
    const write = () => journal.record(attempt, { tag: failed }, { status: 'retrying' }, call)
    t.equal(await losingResponses(write), true)
    t.match(await reader.find(event.id), { status: 'retrying', attempts, processors: { tag: failed } })
  }
  const redrive = asRun(event, 'run-1')
  await losingResponses(() => mustStart(redrive))
  t.match(await reader.find(event.id), { attempts: 1, run: 'run-1' })
})

t.test('counts an attempt once, however many responses are lost', async (t) => {
  const { mustStart, lines } = build()
  const event = newEvent()
  await mustStart(event, { tag: started })
  // the SDK gives up after four attempts
  const loss = intercept(t, (request, response) => {
    if (loss.calls() <= 9) loseResponse(request, response)
  })
  await mustStart(event, { tag: { ...started, attempts: 2 } })
  loss.end()
  t.ok(lines.length >= 2)
  t.match(await reader.find(event.id), { attempts: 2, processors: { tag: { attempts: 2 } } })
})

t.test('starts no attempt without a lease, which would supersede that of another worker', async (t) => {
  const { journal, start, mustStart, call } = build()
  const event = newEvent()
  const attempt = await mustStart(event)
  await t.rejects(start(event, {}, AbortSignal.abort(new Error('lease lost'))), {
    code: 'JOURNAL_UNAVAILABLE',
    cause: { message: 'lease lost' }
  })
  t.equal(await journal.record(attempt, { tag: succeeded }, { status: 'done' }, call), true)
})

t.test('makes one more attempt when the signal aborts', async (t) => {
  const { journal, mustStart, call, logged } = build({ pauseMs: 60_000 })
  const event = newEvent()
  const attempt = await mustStart(event)
  const outage = intercept(t, closeConnection)
  const stop = new AbortController()
  const record = () =>
    journal.record(attempt, { tag: succeeded }, { status: 'done' }, { ...call, signal: stop.signal })
  const refused = t.rejects(record(), { name: 'ListenerError', code: 'JOURNAL_UNAVAILABLE', cause: Error })
  await logged()
  const before = outage.calls()
  stop.abort()
  await refused
  t.ok(outage.calls() > before)

  outage.end()
  await record()
  t.match(
    await reader.find(event.id),
    { status: 'done' },
    'records the outcome after the abort if DynamoDB answers'
  )
})

t.test('does not retry an invalid request or a bug', async (t) => {
  const { journal, mustStart, call, lines } = build()
  const attempt = await mustStart(newEvent())
  const { calls } = intercept(t)
  const tooLarge = Object.fromEntries(
    Array.from({ length: 900 }, (_, index) => [`p${index}`, { ...dead, message: 'x'.repeat(500) }])
  )
  const rejection = { code: 'JOURNAL_UNAVAILABLE', cause: { name: 'ValidationException' } }
  await t.rejects(journal.record(attempt, tooLarge, undefined, call), rejection)
  t.equal(calls(), 1)
  const unwritable = { tag: { ...succeeded, note: Symbol('unwritable') as unknown as string } }
  await t.rejects(journal.record(attempt, unwritable, undefined, call), { code: 'JOURNAL_UNAVAILABLE' })
  t.equal(calls(), 1)
  t.strictSame(lines, [])
})

t.test('an event keeps its id if its body states a time or the journal does not know it', async (t) => {
  const { journal, call } = build()
  const { calls } = intercept(t)
  const timed = newEvent()
  t.equal(await journal.identify(timed, call), timed)
  t.equal(calls(), 0, 'without a call')
  const untimed = newEvent({ signedAt: HAPPENED_AT.toISOString() })
  t.equal(await journal.identify(untimed, call), untimed)
})

t.test('the same body without a time is another event when it is signed over an hour later', async (t) => {
  const { journal, mustStart, call } = build()
  const signed = (minutes: number) => new Date(HAPPENED_AT.getTime() + minutes * 60_000).toISOString()
  const event = newEvent({ type: 'delete', signedAt: signed(0) })
  const idAfter = async (minutes: number) => {
    const identified = await journal.identify({ ...event, signedAt: signed(minutes) }, call)
    const attempt = await mustStart(identified)
    await journal.record(attempt, { tag: succeeded }, { status: 'retrying' }, call)
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
  t.equal(await idAfter(61), second, 'SQS redelivers an older one')
  t.equal(await idAfter(125), third)
  t.equal(await idAfter(0), first)
  const redriven = { ...event, id: second, signedAt: signed(61), run: { kind: 'redrive', id: 'r' } as const }
  t.equal((await journal.identify(redriven, call)).id, second, 'an identified event keeps its id')
})

t.test('uses the real clock and keeps events for 30 days by default', async (t) => {
  const event = newEvent()
  const plain = new Journal({ client, tableName: TableName })
  const before = Math.floor(Date.now() / 1000)
  await plain.ignore(event, 'no processor is on it', build().call)
  const { expiresAt, finishedAt } = await itemOf(event)
  t.ok(Number(expiresAt) >= before + 30 * 86_400)
  t.ok(Math.abs(Date.parse(String(finishedAt)) - Date.now()) < 60_000)
})

t.test('behaves like the journal in memory, under any sequence of calls', async () => {
  const records = fc.dictionary(
    fc.constantFrom('a.b', 'c-d'),
    fc.constantFrom(started, succeeded, failed, dead),
    { noNullPrototype: true }
  )
  const outcome = fc.constantFrom('retrying', 'done', 'dead').map((status) => ({ status }) as const)
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('start'), records }) },
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
        outcome: fc.option(outcome, { nil: undefined })
      })
    }
  )
  const { journal, call } = build()
  const decide = (event: AssetEvent, started: ProcessorRecords) => (entry: JournalEntry | undefined) =>
    entry && !UNFINISHED.includes(entry.status) && event.run?.id === entry.run
      ? { outcome: 'finished' as const }
      : { outcome: 'due' as const, started }
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const event = newEvent()
      const model = memoryJournal(() => NOW)
      const both = [journal, model.journal].map((journal) => ({ journal, attempts: [] as Attempt[] }))
      for (const step of steps) {
        const results: unknown[] = []
        for (const { journal, attempts } of both) {
          if (step.kind === 'start' || step.kind === 'run') {
            const one = 'run' in step ? asRun(event, step.run) : event
            const result = await journal.startAttempt(one, decide(one, step.records), call)
            if (result.outcome === 'due') attempts.unshift(result.attempt)
            const { id: _, ...attempt } = 'attempt' in result ? result.attempt : ({} as Attempt)
            results.push(result.outcome, attempt)
          } else if (step.kind === 'ignore') {
            results.push(await journal.ignore(event, 'reason', call))
          } else if ('attempt' in step && attempts[step.attempt]) {
            const attempt = attempts[step.attempt] as Attempt
            results.push(await journal.record(attempt, step.records, step.outcome, call))
          }
        }
        deepStrictEqual(results.slice(0, results.length / 2), results.slice(results.length / 2))
      }
      const found = await reader.find(event.id)
      const entry = model.entries.get(event.id)
      deepStrictEqual(
        found && [found.status, found.attempts, found.processors],
        entry && [entry.status, entry.attempts, entry.processors]
      )
    }),
    { numRuns: 60 }
  )
})
