import { createHash } from 'node:crypto'
import t from 'tap'
import type { ActivityFilter, EventPage, PageQuery } from '../../../app/activity/activity-store.ts'
import type { AssetEvent } from '../../../app/ingest/event.ts'
import { type ActivityReaderOptions, createActivityStore } from '../../../app/journal/activity-reader.ts'
import { ActivityWriter } from '../../../app/journal/activity-writer.ts'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import { Journal } from '../../../app/journal/journal.ts'
import type { ProcessorRecord, ProcessorRecords } from '../../../app/journal/processor-record.ts'
import { MinuteCounts } from '../../../app/metrics/minute-counts.ts'
import { startDynamoDb } from '../../../dev/embedded-dynamodb.ts'
import { sampleEvent } from '../../support/events.ts'
import { PATIENT } from '../../support/journal.ts'

const dynamoDb = await startDynamoDb()
Object.assign(process.env, dynamoDb.environment)
const client = createDynamoDbClient()
const table = { client, tableName: dynamoDb.tableName }
t.teardown(async () => {
  client.destroy()
  await dynamoDb.stop()
})

const NOW = Date.parse('2026-06-10T12:00:00Z')
const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const { signal } = new AbortController()

const isoOf = (time: number) => new Date(time).toISOString()
const idOf = (name: string) => createHash('sha256').update(name).digest('hex').slice(0, 32)

const store = (options: Partial<ActivityReaderOptions> = {}) =>
  createActivityStore({
    ...table,
    clock: () => NOW,
    budget: { events: 2000, milliseconds: 60_000 },
    ...options
  })

const journal = new Journal({ ...table, clock: () => NOW })

const failed: ProcessorRecord = {
  outcome: 'failed',
  at: isoOf(NOW),
  milliseconds: 12,
  attempts: 1,
  waits: 0,
  code: 'ETIMEDOUT',
  message: 'too slow',
  notBefore: isoOf(NOW + 1000)
}

async function put(event: AssetEvent, status: 'retrying' | 'dead' | 'done' = 'done'): Promise<AssetEvent> {
  const { attempt } = await journal.startAttempt(event, () => ({ started: {} }), PATIENT)
  const records: ProcessorRecords = status === 'done' ? {} : { stamp: failed }
  await journal.record(attempt, records, { status }, PATIENT)
  return event
}

/** Stores an event in one write. */
async function ignore(event: AssetEvent): Promise<AssetEvent> {
  await journal.ignore(event, 'not wanted', PATIENT)
  return event
}

/** An event of a test's own environment. */
const newEvent = (environment: string, number: number, change: Partial<AssetEvent> = {}): AssetEvent => ({
  ...sampleEvent('upload'),
  id: idOf(`${environment} ${number}`),
  environment,
  receivedAt: isoOf(NOW - number * MINUTE_MS),
  ...change
})

/** Reads pages until there are no more. */
async function readAll(
  read: (cursor?: string) => Promise<EventPage>,
  direction: 'older' | 'newer' = 'older'
) {
  const pages: EventPage[] = []
  for (let cursor: string | undefined, isFirst = true; isFirst || cursor; isFirst = false) {
    const page = await read(cursor)
    pages.push(page)
    cursor = page[direction]
  }
  return pages
}

const idsOf = (pages: readonly EventPage[]) => pages.flatMap(({ events }) => events.map(({ id }) => id))

const lister =
  (filter: ActivityFilter, options: Partial<ActivityReaderOptions> = {}, rest: Partial<PageQuery> = {}) =>
  (cursor?: string) =>
    store(options).list({ filter, limit: 7, signal, ...rest, ...(cursor && { cursor }) })

t.test('lists events newest first, over days and partitions, in both directions', async (t) => {
  const environment = 'paging'
  // 20 of one notification, then every 100 minutes for two days
  const burst = Array.from({ length: 20 }, (_, number) =>
    newEvent(environment, number, { receivedAt: isoOf(NOW - 1000) })
  )
  const spread = Array.from({ length: 30 }, (_, number) => newEvent(environment, 1000 + 100 * number))
  for (const event of [...burst, ...spread]) await ignore(event)
  const expected = [
    ...burst
      .map(({ id }) => id)
      .toSorted()
      .toReversed(),
    ...spread.map(({ id }) => id)
  ]
  const filter = { environment, from: isoOf(NOW - 3 * DAY_MS) }
  const pages = await readAll(lister(filter))
  t.strictSame(idsOf(pages), expected)
  t.ok(pages.slice(0, -1).every(({ events }) => events.length === 7))
  t.equal(pages[0]?.newer, undefined)
  t.notOk(pages.some(({ searchedTo }) => searchedTo))
  const { newer } = pages.at(-1)!
  const back = await readAll((cursor = newer) => lister(filter, {}, { direction: 'newer' })(cursor), 'newer')
  const onLastPage = pages.at(-1)!.events.length
  t.strictSame(idsOf(back.toReversed()), expected.slice(0, expected.length - onLastPage))
  t.equal(back.at(-1)?.newer, undefined)
  const fromOldest = await readAll(lister(filter, {}, { direction: 'newer' }), 'newer')
  t.strictSame(idsOf(fromOldest.toReversed()), expected)
})

t.test('a search from an earlier time starts with the oldest events that are kept', async (t) => {
  const filter = { environment: 'nothing', from: isoOf(NOW - 40 * DAY_MS) }
  const first = await lister(filter, { budget: { events: 2000, milliseconds: 0 } }, { direction: 'newer' })()
  t.equal(first.searchedTo, '2026-05-11T00:00:00.000Z')
})

t.test('a page that ends with the last event has no cursor', async (t) => {
  const environment = 'exact'
  const events = Array.from({ length: 7 }, (_, number) => newEvent(environment, 20_000 + number))
  for (const event of events) await ignore(event)
  const page = await lister({ from: events.at(-1)!.receivedAt, until: events[0]!.receivedAt })()
  t.equal(page.events.length, 7)
  t.equal(page.older, undefined)
})

t.test('shows what the payload says about an event', async (t) => {
  const environment = 'rows'
  const payload = { added: ['sale'], removed: ['draft'], tags: ['sale'] }
  const event = newEvent(environment, 1, {
    type: 'resource_tags_changed',
    payload,
    source: 'poll',
    traceId: 'Root=1-2-3'
  })
  await put(event)
  const [row] = (await lister({ environment, from: isoOf(NOW - DAY_MS) })()).events
  const { payload: _, notificationType, ...described } = event
  t.match(row, {
    ...described,
    status: 'done',
    attempts: 1,
    change: { added: ['sale'], removed: ['draft'] }
  })
  t.notOk('payload' in row!)
  t.notOk('history' in row!)
})

t.test('filters by what the feed has and by the payload', async (t) => {
  const environment = 'filters'
  const tagged = await put(newEvent(environment, 1, { payload: { tags: ['sale'], note: 'A Needle' } }))
  const polled = await put(newEvent(environment, 2, { source: 'poll' }))
  const dead = await put(newEvent(environment, 3), 'dead')
  const found = await put(newEvent(environment, 4, { reconciled: true }))
  const replayed = await put(newEvent(environment, 5, { run: { kind: 'replay', id: 'run-1' } }))
  for (let number = 10; number < 130; number++) await ignore(newEvent(environment, number))
  const cases: [ActivityFilter, AssetEvent][] = [
    [{ tag: 'sale' }, tagged],
    [{ text: 'needle' }, tagged],
    [{ source: 'poll' }, polled],
    [{ source: 'reconcile' }, found],
    [{ source: 'replay' }, replayed],
    [{ status: ['dead'] }, dead],
    [{ code: 'ETIMEDOUT', processor: 'stamp' }, dead],
    [{ from: dead.receivedAt, until: dead.receivedAt }, dead]
  ]
  for (const [filter, event] of cases) {
    const pages = await readAll(lister({ environment, from: isoOf(NOW - DAY_MS / 4), ...filter }))
    t.strictSame(idsOf(pages), [event.id], JSON.stringify(filter))
  }
  const read = lister({ environment, text: 'secure_url', from: isoOf(NOW - DAY_MS / 4) }, {}, { limit: 60 })
  const many = await readAll(read)
  t.equal(idsOf(many).length, 124)
})

t.test('a search stops when its budget is used up, and continues from there', async (t) => {
  const environment = 'budget'
  const needle = newEvent(environment, 35, { payload: { note: 'needle' } })
  for (let number = 0; number < 40; number++) {
    await ignore(number === 35 ? needle : newEvent(environment, number))
  }
  const filter = { environment, text: 'needle', from: isoOf(NOW - DAY_MS / 24) }
  // other tests' events are in the feed too
  const pages = await readAll(lister(filter, { budget: { events: 10, milliseconds: 60_000 } }))
  t.strictSame(idsOf(pages), [needle.id])
  t.ok(pages.length >= 4)
  t.equal(pages[0]?.events.length, 0)
  const stops = pages.flatMap(({ searchedTo }) => searchedTo ?? [])
  t.strictSame(stops, stops.toSorted().toReversed())
  t.equal(pages.at(-1)?.searchedTo, undefined)
  const late = lister({ environment: 'nothing' }, { budget: { events: 2000, milliseconds: 0 } })
  const first = await late()
  t.ok(first.searchedTo)
  const second = await late(first.older)
  t.not(second.older, first.older, 'makes progress without time')
  const empty = await lister(
    { until: isoOf(NOW - 25 * DAY_MS) },
    { budget: { events: 9, milliseconds: 0 } }
  )()
  t.ok(empty.searchedTo)
  t.strictSame(empty.events, [])
})

t.test('reads no day that the filter excludes', async (t) => {
  let queries = 0
  const count = ({ headers }: { headers: Record<string, unknown> }) => {
    if (headers['x-amz-target'] === 'DynamoDB_20120810.Query') queries++
  }
  dynamoDb.server.prependListener('request', count)
  t.teardown(() => dynamoDb.server.off('request', count))
  await lister({ environment: 'nothing', from: isoOf(NOW - MINUTE_MS) })()
  t.ok(queries >= 16)
  t.ok(queries < 32 + 16)
})

t.test('finds an event with its attempts and payload', async (t) => {
  const event = newEvent('find', 1, { payload: { note: 'whole' } })
  await put(event, 'retrying')
  await put(event)
  const detail = await store().find(event.id)
  t.match(detail, {
    id: event.id,
    group: event.group,
    payload: { note: 'whole' },
    attempts: 2,
    status: 'done'
  })
  t.equal(detail?.history.length, 2)
  t.match(detail?.history[0], { processors: { stamp: { outcome: 'failed', code: 'ETIMEDOUT' } } })
  t.equal(await store().find(idOf('unknown')), undefined)
  t.equal(await store().find('minute#2026-06-10'), undefined)
  t.equal(await store().find(''), undefined)
})

t.test("has an asset's whole history, however old", async (t) => {
  const group = idOf('asset')
  const events = [0, 1, 2, 100_000, 200_000].map((number) => newEvent('history', number, { group }))
  for (const event of events) await put(event)
  const history = (cursor?: string) => store().history(group, { limit: 2, signal, ...(cursor && { cursor }) })
  const pages = await readAll(history)
  t.strictSame(
    idsOf(pages),
    events.map(({ id }) => id)
  )
  t.equal(pages.length, 3)
  t.match(pages[0]?.events[0], { group })
  const back = await store().history(group, {
    limit: 9,
    signal,
    direction: 'newer',
    cursor: pages[2]!.newer!
  })
  t.strictSame(
    back.events.map(({ id }) => id),
    events.slice(0, 4).map(({ id }) => id)
  )
})

t.test('lists the events that wait for a retry or are dead', async (t) => {
  const environment = 'unfinished'
  const events = Array.from({ length: 12 }, (_, number) => newEvent(environment, number))
  for (const [number, event] of events.entries()) await put(event, number % 2 === 0 ? 'dead' : 'retrying')
  const [running] = events.slice(1)
  await journal.startAttempt(running!, () => ({ started: {} }), PATIENT)
  const read = (status: 'retrying' | 'dead', filter: ActivityFilter) => (cursor?: string) =>
    store().unfinished(status, { filter, limit: 4, signal, ...(cursor && { cursor }) })
  const dead = await readAll(read('dead', { environment }))
  t.strictSame(
    idsOf(dead),
    events.filter((_, number) => number % 2 === 0).map(({ id }) => id)
  )
  const retrying = await readAll(read('retrying', { environment }))
  t.strictSame(
    idsOf(retrying),
    events.filter((_, number) => number % 2 === 1 && number > 1).map(({ id }) => id)
  )
  t.strictSame(idsOf(await readAll(read('dead', { environment, status: ['done'] }))), [])
  t.equal(idsOf(await readAll(read('dead', { environment, status: ['dead', 'retrying'] }))).length, 6)
})

t.test('sums the counts of all processes by minute', async (t) => {
  const counted = (minute: string, accepted: number) => {
    const counts = new MinuteCounts(minute)
    counts.add('accepted', accepted)
    counts.addRefused('SIGNATURE_INVALID', 1)
    counts.addRun('stamp', 'runs', 2)
    counts.addLatency('acknowledge', 4)
    return counts.record()
  }
  const [a, b] = ['a', 'b'].map((process) => new ActivityWriter({ ...table, process, clock: () => NOW }))
  const [first, second] = ['2026-06-10T10:59:00.000Z', '2026-06-10T11:00:00.000Z'] as const
  await a!.putMinute(counted(first, 1))
  await a!.putMinute(counted(second, 1))
  await a!.putMinute(counted(second, 5))
  await b!.putMinute(counted(second, 10))
  const minutes = await store().minutes(first, isoOf(NOW), signal)
  t.match(minutes, [
    { minute: first, accepted: 1 },
    {
      minute: second,
      accepted: 15,
      refused: { SIGNATURE_INVALID: 2 },
      processors: { stamp: { runs: 4, failures: 0 } },
      acknowledge: { p50: 5, p95: 5, p99: 5 }
    }
  ])
  t.equal(minutes.length, 2)
  t.strictSame(await store().minutes(second, second, signal), minutes.slice(1))
  t.equal((await lister({ from: first, until: second })()).events.length > 0, true)
  t.strictSame(await store().minutes('2020-01-01T00:00:00.000Z', '2020-01-02T00:00:00.000Z', signal), [])
})

t.test('reads the newest sample of the queue', async (t) => {
  t.equal(await store().queue(signal), undefined)
  const [a, b, c] = ['a', 'b', 'c'].map(
    (process) => new ActivityWriter({ ...table, process, clock: () => NOW })
  )
  const sample = { waiting: 3, inFlight: 2, deadLetters: 1, breakerOpen: false }
  await a!.putQueue({ ...sample, at: isoOf(NOW - 9000), oldestSeconds: 40, breakerOpen: true })
  await b!.putQueue({ ...sample, at: isoOf(NOW), waiting: 4 })
  await c!.putQueue({ ...sample, at: isoOf(NOW - DAY_MS), oldestSeconds: 999 })
  t.strictSame(await store().queue(signal), {
    ...sample,
    at: isoOf(NOW),
    waiting: 4,
    oldestSeconds: 40,
    breakerOpen: true
  })
})

t.test('reads the refused notifications of a week, 100 at most', async (t) => {
  t.strictSame(await store().refused(signal), [])
  const writer = new ActivityWriter({ ...table, process: 'a', clock: () => NOW })
  const sample = { code: 'SIGNATURE_INVALID', headers: {}, bytes: 10 }
  await writer.putRefused({ ...sample, at: isoOf(NOW - 3 * DAY_MS) })
  await writer.putRefused({ ...sample, at: isoOf(NOW) })
  const samples = await store().refused(signal)
  t.strictSame(
    samples.map(({ at }) => at),
    [isoOf(NOW), isoOf(NOW - 3 * DAY_MS)]
  )
  for (let number = 0; number < 120; number++) {
    await writer.putRefused({ ...sample, at: isoOf(NOW - number) })
  }
  t.equal((await store().refused(signal)).length, 100)
})

t.test('rejects when DynamoDB does not answer or the signal aborts', async (t) => {
  const missing = createActivityStore({ client, tableName: 'missing', clock: () => NOW })
  const query = { filter: {}, limit: 1, signal }
  const unavailable = { code: 'JOURNAL_UNAVAILABLE' }
  await t.rejects(missing.list(query), unavailable)
  await t.rejects(missing.find(idOf('x')), unavailable)
  await t.rejects(missing.history('group', query), unavailable)
  await t.rejects(missing.minutes(isoOf(NOW), isoOf(NOW), signal), unavailable)
  await t.rejects(missing.queue(signal), unavailable)
  await t.rejects(missing.refused(signal), unavailable)
  const reason = new Error('left')
  const aborted = { ...query, signal: AbortSignal.abort(reason) }
  await t.rejects(store().list(aborted), reason)
  await t.rejects(store().queue(aborted.signal), reason)
  await t.rejects(store().list({ ...query, cursor: 'nonsense' }), { code: 'FILTER_INVALID' })
  t.type(createActivityStore(table), 'object')
})
