import { deepStrictEqual } from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb'
import fc from 'fast-check'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import type { AssetEvent } from '../../../app/cloudinary/event.ts'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import { Journal, type JournalOptions, type ProcessorRecord } from '../../../app/journal/journal.ts'
import { feedShard, JOURNAL } from '../../../app/journal/table.ts'
import { SERIALIZERS } from '../../../app/logger.ts'
import { startDynamoDb } from '../../../dev/dynamodb.ts'
import { HAPPENED_AT, sampleEvent } from '../../support/events.ts'
import { memoryJournal } from '../../support/journal.ts'

const dynamoDb = await startDynamoDb()
Object.assign(process.env, dynamoDb.environment)
const client = createDynamoDbClient()
const { tableName: TableName } = dynamoDb
t.teardown(async () => {
  client.destroy()
  await dynamoDb.stop()
})

const NOW = HAPPENED_AT.getTime() + 5000
const never = new AbortController().signal
const succeeded: ProcessorRecord = { outcome: 'succeeded', at: '2026-06-01T12:00:06.000Z', milliseconds: 12 }
const failed: ProcessorRecord = { ...succeeded, outcome: 'failed', code: 'ETIMEDOUT', message: 'too slow' }
const dead: ProcessorRecord = { ...failed, outcome: 'dead' }

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
  const journal = new Journal({ client, tableName: TableName, log, clock: () => NOW, pauseMs: 1, ...options })
  /** Resolves when something has been logged. */
  const logged = async () => {
    if (lines.length > 0) return
    await new Promise<void>((resolve) => {
      wake = resolve
    })
  }
  return { journal, lines, logged, log }
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

t.test('an event that begins is noted as what it is, and nothing was done for it yet', async (t) => {
  const { journal } = build()
  const event = newEvent({ traceId: 'Root=1-2-3' })
  t.strictSame(await journal.begin(event), { outcome: 'begun', attempts: 1, processors: {} })
  const { payload, firstAttempt, ...item } = await itemOf(event)
  t.ok(payload)
  t.type(firstAttempt, 'string')
  const { payload: _, group, ...described } = event
  t.strictSame(item, {
    ...described,
    status: 'processing',
    attempts: 1,
    processors: {},
    startedAt: '2026-06-01T12:00:05.789Z',
    feedShard: feedShard(event.id, event.receivedAt),
    expiresAt: Math.floor(NOW / 1000) + 30 * 24 * 60 * 60
  })
})

t.test('an event that is about no asset is noted as well', async (t) => {
  const { journal } = build()
  const event = { ...sampleEvent('create_folder'), id: newEvent().id }
  t.equal(event.asset, null)
  t.match(await journal.begin(event), { outcome: 'begun' })
  t.match(await itemOf(event), { asset: null, type: 'create_folder' })
})

t.test('an event that begins again counts its attempts, and says what earlier ones have done', async (t) => {
  const { journal } = build()
  const event = newEvent()
  await journal.begin(event)
  t.match(
    await journal.begin(event),
    { attempts: 2, processors: {} },
    'the first one has ended without a word'
  )
  const note = { ...succeeded, note: 'tagged "Hello World!"' }
  await journal.record(event.id, { name: 'tag', record: note }, undefined, never)
  await journal.record(event.id, { name: 'stamp', record: failed }, { status: 'retrying' }, never)
  t.strictSame(await journal.begin(event), {
    outcome: 'begun',
    attempts: 3,
    processors: { tag: note, stamp: failed }
  })
})

t.test('what an event was is written once, whoever delivers it again', async (t) => {
  let now = NOW
  const { journal } = build({ clock: () => now })
  const event = newEvent()
  await journal.begin(event)
  const first = await itemOf(event)
  now += 24 * 60 * 60 * 1000
  await journal.begin({
    ...event,
    receivedAt: new Date(now).toISOString(),
    traceId: 'Root=4-5-6',
    payload: { another: true }
  })
  const { traceId, ...second } = await itemOf(event)
  t.strictSame(second, { ...first, attempts: 2 })
  t.equal(traceId, 'Root=4-5-6', 'what the first delivery did not say is taken from the next')
})

t.test("each processor's record is kept under its name, whatever the name is made of", async (t) => {
  const { journal } = build()
  const event = newEvent()
  await journal.begin(event)
  const names = ['a.b', 'a', 'b-c', '_', '0', '-.-', 'status', 'processors', 'x'.repeat(64)]
  for (const name of names) {
    await journal.record(event.id, { name, record: { ...succeeded, note: name } }, undefined, never)
  }
  const found = await journal.find(event.id)
  t.strictSame(
    found?.processors,
    Object.fromEntries(names.map((name) => [name, { ...succeeded, note: name }]))
  )
  t.equal(found?.status, 'processing')
})

t.test('with the last record comes what becomes of the event', async (t) => {
  const { journal } = build()
  const event = newEvent()
  const lastError = { processor: 'stamp', code: 'ETIMEDOUT', message: 'too slow' }
  await journal.begin(event)
  await journal.record(event.id, { name: 'stamp', record: failed }, { status: 'retrying', lastError }, never)
  const retrying = await itemOf(event)
  t.match(retrying, { status: 'retrying', attempts: 1, lastError })
  t.notOk('finishedAt' in retrying)

  await journal.begin(event)
  t.match(await itemOf(event), { status: 'processing', attempts: 2 })
  await journal.record(event.id, { name: 'stamp', record: dead }, { status: 'dead', lastError }, never)
  t.match(await itemOf(event), {
    status: 'dead',
    attempts: 2,
    lastError,
    finishedAt: '2026-06-01T12:00:05.789Z',
    processors: { stamp: dead }
  })

  const other = newEvent()
  await journal.begin(other)
  await journal.record(other.id, { name: 'stamp', record: succeeded }, { status: 'done' }, never)
  t.match(await itemOf(other), { status: 'done', finishedAt: String, lastError: undefined })
})

t.test('an event can end without another record', async (t) => {
  const { journal } = build()
  const event = newEvent()
  await journal.begin(event)
  await journal.record(event.id, undefined, { status: 'done' }, never)
  t.match(await journal.find(event.id), { status: 'done', processors: {} })
})

t.test('an attempt that does not count is given back', async (t) => {
  const { journal } = build()
  const event = newEvent()
  await journal.begin(event)
  const verdict = { status: 'retrying', uncounted: true } as const
  await journal.record(event.id, { name: 'stamp', record: failed }, verdict, never)
  t.match(await journal.find(event.id), { attempts: 0, status: 'retrying' })
  t.match(await journal.begin(event), { attempts: 1 })
})

t.test('an event that is finished does not begin, and nothing changes it any more', async (t) => {
  const { journal } = build()
  const done = newEvent()
  await journal.begin(done)
  await journal.record(done.id, { name: 'tag', record: succeeded }, { status: 'done' }, never)
  const dies = newEvent()
  await journal.begin(dies)
  await journal.record(dies.id, { name: 'tag', record: dead }, { status: 'dead' }, never)
  const ignored = newEvent()
  await journal.ignore(ignored, 'no processor is on it')
  for (const event of [done, dies, ignored]) {
    const before = await itemOf(event)
    t.strictSame(await journal.begin(event), { outcome: 'finished' })
    // as a worker does that was taken for dead
    await journal.record(event.id, { name: 'tag', record: failed }, { status: 'retrying' }, never)
    await journal.ignore(event, 'another reason')
    t.strictSame(await itemOf(event), before)
  }
})

t.test('an event that no processor is run for is noted with the reason', async (t) => {
  const { journal } = build()
  const event = newEvent()
  await journal.ignore(event, "a change made with the listener's own key")
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
  const { journal } = build()
  const event = newEvent()
  await journal.begin(event)
  await journal.record(event.id, { name: 'tag', record: failed }, { status: 'retrying' }, never)
  await journal.ignore(event, 'no processor is on it')
  t.match(await journal.find(event.id), { status: 'ignored', attempts: 1, processors: { tag: failed } })
})

t.test('an event is found as it was', async (t) => {
  const { journal } = build()
  const event = newEvent({
    payload: { text: 'ä€😀\u0000\ud800', deep: [[{ '': null }]], huge: 1e300, 'a.b': '' }
  })
  await journal.begin(event)
  t.strictSame(await journal.find(event.id), { event, status: 'processing', attempts: 1, processors: {} })
})

t.test('an event that the journal does not know is not found', async (t) => {
  t.equal(await build().journal.find(newEvent().id), undefined)
})

t.test(
  'a payload of up to 300 KB, compressed, is kept, and beside it what many processors say',
  async (t) => {
    const { journal } = build()
    const event = newEvent({ payload: { incompressible: randomBytes(292 * 1024).toString('base64') } })
    await journal.begin(event)
    const message = '€'.repeat(10_000)
    const records = Array.from({ length: 40 }, (_, index): [string, ProcessorRecord] => [
      `${'x'.repeat(60)}-${index}`,
      { ...dead, message }
    ])
    for (const [name, record] of records) {
      const lastError = { processor: name, code: 'LONG', message }
      await journal.record(event.id, { name, record }, { status: 'retrying', lastError }, never)
    }
    const found = await journal.find(event.id)
    t.strictSame(found?.event, event)
    t.equal(Object.keys(found?.processors ?? {}).length, 40)
    t.match(await itemOf(event), { lastError: { message: message.slice(0, 500) } })
  }
)

t.test('a larger payload is left out', async (t) => {
  const { journal } = build()
  const event = newEvent({ payload: { incompressible: randomBytes(310 * 1024).toString('base64') } })
  await journal.begin(event)
  t.match(await itemOf(event), { payloadOmitted: true, payload: undefined, type: 'upload' })
  t.strictSame(await journal.find(event.id), {
    event: undefined,
    status: 'processing',
    attempts: 1,
    processors: {}
  })
})

t.test('what a processor returns or throws is noted whatever it is, cut to 500 characters', async (t) => {
  const { journal } = build()
  const event = newEvent()
  await journal.begin(event)
  const texts = {
    long: 'a'.repeat(1000),
    torn: `${'a'.repeat(499)}😀`,
    empty: '',
    none: undefined,
    object: new Map() as unknown as string
  }
  for (const [name, note] of Object.entries(texts)) {
    const record = { ...succeeded, note } as ProcessorRecord
    await journal.record(event.id, { name, record }, undefined, never)
  }
  t.match((await journal.find(event.id))?.processors, {
    long: { note: 'a'.repeat(500) },
    torn: { note: `${'a'.repeat(499)}\ufffd` },
    empty: { note: '' },
    none: { note: undefined },
    object: { note: '[object Map]' }
  })
})

t.test("an operator's run opens a finished event, once for each run", async (t) => {
  const { journal } = build()
  const event = newEvent()
  await journal.begin(event)
  await journal.begin(event)
  const lastError = { processor: 'tag', code: 'GONE', message: 'gone' }
  await journal.record(event.id, { name: 'tag', record: dead }, { status: 'dead', lastError }, never)

  const redrive = asRun(event, 'run-1')
  t.strictSame(
    await journal.begin(redrive),
    { outcome: 'begun', attempts: 1, processors: { tag: dead } },
    'attempts are counted anew, and what was done is known'
  )
  const open = await itemOf(event)
  t.match(open, { status: 'processing', run: 'run-1', startedAt: '2026-06-01T12:00:05.789Z' })
  for (const name of ['finishedAt', 'lastError']) t.notOk(name in open, `no ${name} while it is open`)
  t.match(await journal.begin(redrive), { attempts: 2 }, 'delivered again, it is the same run')

  const record = { ...succeeded, run: 'run-1' }
  await journal.record(event.id, { name: 'tag', record }, { status: 'done' }, never)
  t.strictSame(await journal.begin(redrive), { outcome: 'finished' })
  t.strictSame(await journal.begin(event), { outcome: 'finished' })

  const replay = asRun(event, 'run-2', 'replay')
  t.match(await journal.begin(replay), { outcome: 'begun', attempts: 1, processors: { tag: record } })
  await journal.record(event.id, undefined, { status: 'done' }, never)
  t.strictSame(await journal.begin(replay), { outcome: 'finished' })
})

t.test('an event that was ignored can be run after all', async (t) => {
  const { journal } = build()
  const event = newEvent()
  await journal.ignore(event, 'no processor is on it')
  t.match(await journal.begin(asRun(event, 'run', 'replay')), { attempts: 1, processors: {} })
  await journal.record(event.id, { name: 'tag', record: succeeded }, { status: 'done' }, never)
  const item = await itemOf(event)
  t.match(item, { status: 'done', processors: { tag: succeeded } })
  t.notOk('reason' in item)
})

t.test('an event that the journal has forgotten is noted anew when it is run again', async (t) => {
  const { journal } = build()
  const event = newEvent()
  t.strictSame(await journal.begin(asRun(event, 'run')), { outcome: 'begun', attempts: 1, processors: {} })
  t.match(await itemOf(event), { run: 'run', type: 'upload', feedShard: String, expiresAt: Number })
})

t.test('an event with one processor is two writes, and one that is ignored is one', async (t) => {
  const { journal } = build()
  const { calls } = intercept(t)
  const event = newEvent()
  await journal.begin(event)
  await journal.record(event.id, { name: 'tag', record: succeeded }, { status: 'done' }, never)
  t.equal(calls(), 2)
  await journal.ignore(newEvent(), 'no processor is on it')
  t.equal(calls(), 3)
})

t.test('an item expires when its days are over, from its beginning', async (t) => {
  const { journal } = build({ retentionDays: 2, clock: () => 1_780_000_000_999 })
  const event = newEvent()
  await journal.begin(event)
  t.equal((await itemOf(event))[JOURNAL.timeToLive], 1_780_000_000 + 2 * 86_400)
})

t.test('the feed has the events of a shard in order of time, without their payload', async (t) => {
  const { journal } = build()
  const events = [3, 1, 2].map((second) =>
    newEvent({ id: `f${newEvent().id.slice(1)}`, receivedAt: `2030-01-02T00:00:0${second}.000Z` })
  )
  for (const event of events) await journal.begin(event)
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

t.test('while DynamoDB does not answer, what was done is noted again until it does', async (t) => {
  const { journal, lines, logged } = build()
  const event = newEvent()
  await journal.begin(event)
  const outage = intercept(t, breakOff)
  const recorded = journal.record(
    event.id,
    { name: 'tag', record: succeeded },
    { status: 'done' },
    new AbortController().signal
  )
  await logged()
  outage.end()
  await recorded
  t.match(await journal.find(event.id), { status: 'done', processors: { tag: succeeded } })
  t.match(lines[0], {
    level: 50,
    code: 'JOURNAL_UNAVAILABLE',
    eventId: event.id,
    processor: 'tag',
    err: { message: String }
  })
})

t.test('what is logged of an event meanwhile is what its own lines say of it', async (t) => {
  const { journal, lines, logged, log } = build()
  const event = newEvent()
  await journal.begin(event)
  const outage = intercept(t, breakOff)
  const about = log.child({ eventId: event.id, traceId: 'Root=1' })
  const recorded = journal.record(event.id, { name: 'tag', record: succeeded }, undefined, never, about)
  await logged()
  outage.end()
  await recorded
  t.match(lines[0], { code: 'JOURNAL_UNAVAILABLE', eventId: event.id, traceId: 'Root=1' })
})

t.test('a record whose answer was lost is noted once', async (t) => {
  const { journal, lines } = build()
  const event = newEvent()
  await journal.begin(event)
  const loss = intercept(t, (request, response) => {
    if (loss.calls() === 1) loseAnswer(request, response)
  })
  await journal.record(event.id, { name: 'tag', record: succeeded }, { status: 'done' }, never)
  t.equal(loss.calls(), 2)
  t.strictSame(lines, [])
  t.match(await journal.find(event.id), { status: 'done', attempts: 1, processors: { tag: succeeded } })
})

t.test('an attempt whose answer was lost is counted once', async (t) => {
  const { journal } = build()
  const event = newEvent()
  for (const attempts of [1, 2, 3]) {
    const loss = intercept(t, (request, response) => {
      if (loss.calls() % 2 === 1) loseAnswer(request, response)
    })
    t.match(await journal.begin(event), { outcome: 'begun', attempts })
    loss.end()
  }
  t.match(await journal.find(event.id), { attempts: 3 })
})

t.test('attempts of which DynamoDB never tells that they began are not counted', async (t) => {
  const { journal } = build()
  const event = newEvent()
  const loss = intercept(t, loseAnswer)
  for (let time = 0; time < 3; time++) await t.rejects(journal.begin(event), { code: 'JOURNAL_UNAVAILABLE' })
  loss.end()
  t.match(await journal.begin(event), { attempts: 2 }, 'the first could have begun, and is counted')
})

t.test('a worker that stops waits no longer for DynamoDB, after one more try', async (t) => {
  const { journal, logged } = build({ pauseMs: 60_000 })
  const event = newEvent()
  await journal.begin(event)
  const outage = intercept(t, breakOff)
  const stop = new AbortController()
  const args = [event.id, { name: 'tag', record: succeeded }, { status: 'done' }] as const
  const recorded = journal.record(...args, stop.signal)
  const refused = t.rejects(recorded, { name: 'ListenerError', code: 'JOURNAL_UNAVAILABLE', cause: Error })
  await logged()
  const before = outage.calls()
  stop.abort()
  await refused
  t.ok(outage.calls() > before)

  outage.end()
  await journal.record(...args, stop.signal)
  t.match(await journal.find(event.id), { status: 'done' }, 'what can be noted in its last moments is')
})

t.test('what DynamoDB would never take is not tried for ever', async (t) => {
  const { journal, lines } = build()
  const { calls } = intercept(t)
  // it has expired meanwhile, and there is no item to note it in
  const record = journal.record(newEvent().id, { name: 'tag', record: succeeded }, undefined, never)
  await t.rejects(record, { code: 'JOURNAL_UNAVAILABLE', cause: { name: 'ValidationException' } })
  t.equal(calls(), 1)
  t.strictSame(lines, [])
})

t.test('where DynamoDB refuses, everything else fails at once with JOURNAL_UNAVAILABLE', async (t) => {
  const { journal } = build({ tableName: 'a-table-that-is-not-there' })
  const event = newEvent()
  const fault = { code: 'JOURNAL_UNAVAILABLE', cause: { name: 'ResourceNotFoundException' } }
  await t.rejects(journal.begin(event), fault)
  await t.rejects(journal.begin(asRun(event, 'run')), fault)
  await t.rejects(journal.ignore(event, 'no processor is on it'), fault)
  await t.rejects(journal.find(event.id), fault)
})

t.test('the clock, 30 days and a second are what it has unless it is told otherwise', async (t) => {
  const { journal } = build()
  const event = newEvent()
  const plain = new Journal({ client, tableName: TableName, log: pino({ enabled: false }) })
  const before = Math.floor(Date.now() / 1000)
  await plain.begin(event)
  const { expiresAt, startedAt } = await itemOf(event)
  t.ok(Number(expiresAt) >= before + 30 * 86_400)
  t.ok(Math.abs(Date.parse(String(startedAt)) - Date.now()) < 60_000)
  t.match(await journal.begin(event), { attempts: 2 })
})

t.test('whatever happens to an event, the journal says what one in memory says', async () => {
  const name = fc.constantFrom('a.b', 'c-d')
  const record = fc.constantFrom(succeeded, failed, dead)
  const verdict = fc.record(
    { status: fc.constantFrom('retrying', 'done', 'dead'), uncounted: fc.boolean() },
    { requiredKeys: ['status'] }
  )
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('begin') }) },
    { arbitrary: fc.record({ kind: fc.constant('run'), run: fc.constantFrom('1', '2') }), weight: 1 },
    { arbitrary: fc.record({ kind: fc.constant('ignore') }), weight: 1 },
    {
      arbitrary: fc.record({
        kind: fc.constant('record'),
        processor: fc.option(fc.record({ name, record }), { nil: undefined }),
        verdict: fc.option(verdict, { nil: undefined })
      }),
      weight: 4
    }
  )
  const { journal } = build()
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const model = memoryJournal()
      const event = newEvent()
      // nothing is recorded of what has not begun
      let begun = false
      for (const step of steps) {
        const answers: unknown[] = []
        for (const one of [journal, model.journal]) {
          if (step.kind === 'begin') answers.push(await one.begin(event))
          else if (step.kind === 'run') answers.push(await one.begin(asRun(event, step.run)))
          else if (step.kind === 'ignore') answers.push(await one.ignore(event, 'reason'))
          else if (begun && (step.processor || step.verdict)) {
            answers.push(await one.record(event.id, step.processor, step.verdict, never))
          }
        }
        begun ||= step.kind === 'begin' || step.kind === 'run'
        deepStrictEqual(answers[0], answers[1])
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
