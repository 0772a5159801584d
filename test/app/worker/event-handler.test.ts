import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { ListenerError, PermanentError, RetryLaterError } from '../../../app/errors.ts'
import type { AssetEvent } from '../../../app/ingest/event.ts'
import type { Processor } from '../../../app/listener.ts'
import { decodeMessage } from '../../../app/queue/message-codec.ts'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { memoryJournal } from '../../../app/testing/memory-journal.ts'
import { sampleEvent } from '../../support/events.ts'
import { runFleet } from '../../support/fleet.ts'
import { buildHandler, cloudinaryError, NEVER, NOW, scripted, upload } from '../../support/handling.ts'
import { memoryTracing } from '../../support/tracing.ts'

t.test('runs one processor with two writes', async (t) => {
  const { processor, runs } = scripted('tag', 'tagged')
  const { handle, entry, writes, lines } = buildHandler([processor])
  t.strictSame(await handle(), { kind: 'delete' })
  t.equal(runs(), 1)
  t.strictSame(writes, ['start', 'record'])
  t.match(entry(), {
    status: 'done',
    attempts: 1,
    processors: { tag: { outcome: 'succeeded', note: 'tagged' } }
  })
  t.match(lines, [
    { msg: 'event processed', eventId: upload.id, processor: 'tag', note: 'tagged', type: 'upload' }
  ])
})

t.test('skips a redelivered event', async (t) => {
  const { processor, runs } = scripted('tag', 'tagged')
  const { handle, lines } = buildHandler([processor])
  await handle()
  t.strictSame(await handle(), { kind: 'delete' })
  t.equal(runs(), 1)
  t.match(lines.at(-1), { msg: 'duplicate event skipped', outcome: 'duplicate' })
})

t.test('ignores unwanted events and own changes, and records the reason', async (t) => {
  const { handle, entries, lines, writes } = buildHandler([scripted('tag', '').processor])
  const own = sampleEvent('upload', { apiKey: LOCAL_CLOUDINARY.apiKey, publicId: 'other' })
  t.strictSame(await handle(own), { kind: 'delete' })
  const nameless = sampleEvent('moderation', {}, { public_id: undefined })
  t.strictSame(await handle(nameless), { kind: 'delete' })
  const folder = sampleEvent('create_folder')
  t.strictSame(await handle(folder), { kind: 'delete' })
  t.match(entries.get(own.id), { status: 'ignored', reason: "a change made with the listener's own key" })
  t.match(entries.get(folder.id), { status: 'ignored', reason: 'no processor handles create_folder' })
  t.strictSame(writes, ['ignore', 'ignore', 'ignore'])
  const ignored = lines.filter(({ msg }) => msg === 'event ignored')
  t.match(ignored, [{ asset: 'other' }, { asset: nameless.asset?.assetId }, {}])
  t.equal(ignored.length, 3)
  t.notOk('asset' in ignored[2]!)
})

t.test('recognizes an own change by a key that the web task did not know', async (t) => {
  const newKey = '200000000000002'
  const seen: AssetEvent['origin'][] = []
  const asking: Processor = {
    name: 'asking',
    on: ['rename'],
    ownChanges: true,
    handle: (event) => void seen.push(event.origin)
  }
  const { handle, entries } = buildHandler([scripted('tag', '').processor, asking], {
    environments: { isOwnKey: (cloudName, key) => cloudName === upload.environment && key === newKey }
  })
  const stored = sampleEvent('upload', { apiKey: newKey })
  t.notOk(stored.origin.own)
  await handle(stored)
  t.match(entries.get(stored.id), {
    status: 'ignored',
    reason: "a change made with the listener's own key"
  })
  await handle(sampleEvent('rename', { apiKey: newKey }))
  t.match(seen, [{ id: newKey, own: true }])
  const elsewhere = { ...stored, id: 'elsewhere', environment: 'elsewhere' }
  await handle(elsewhere)
  t.match(entries.get('elsewhere'), { status: 'done' }, 'the key belongs to one cloud')
  const anonymous = { ...stored, id: 'anonymous', origin: { source: null, id: null, own: false } }
  await handle(anonymous)
  t.match(entries.get('anonymous'), { status: 'done' })
})

t.test('checks the payload of each event once, also of ignored ones, and processes it', async (t) => {
  const { processor, runs } = scripted('tag', new Error('not yet'), 'at last')
  const { handle, handleAndWait, counts, lines } = buildHandler([processor])
  const unlike = sampleEvent('upload', {}, { bytes: 'many' })
  await handleAndWait(unlike)
  await handleAndWait(unlike)
  await handle(unlike)
  t.equal(runs(), 2)
  t.equal(counts['SchemaMismatch upload'], 1)
  t.match(
    lines.filter(({ code }) => code === 'SCHEMA_MISMATCH'),
    [{ eventId: unlike.id, paths: ['bytes'] }]
  )
  await handle({ ...unlike, run: { kind: 'replay', id: 'r1' } })
  t.equal(counts['SchemaMismatch upload'], 1, 'a replay is the same event')
  await handle(sampleEvent('create_folder', {}, { folder_path: undefined }))
  t.equal(counts['SchemaMismatch create_folder'], 1)
})

t.test("one processor's failure does not rerun the others", async (t) => {
  const good = scripted('good', 'done')
  const bad = scripted('bad', new Error('not yet'), new Error('not yet'), 'at last')
  const { handleAndWait, entry } = buildHandler([bad.processor, good.processor])
  t.strictSame(await handleAndWait(), { kind: 'retry', delaySeconds: 1 })
  t.match(entry(), { status: 'retrying', lastError: { processor: 'bad', message: 'not yet' } })
  t.strictSame(await handleAndWait(), { kind: 'retry', delaySeconds: 2 }, 'twice the delay')
  t.strictSame(await handleAndWait(), { kind: 'delete' })
  t.strictSame([bad.runs(), good.runs()], [3, 1])
  t.match(entry(), {
    status: 'done',
    attempts: 3,
    processors: { bad: { attempts: 3 }, good: { attempts: 1 } }
  })
})

t.test("one processor's wait does not delay the others", async (t) => {
  const until = new Date(NOW + 3_600_000)
  const waits = scripted('waits', new RetryLaterError('busy', until), 'at last')
  const soon = scripted('soon', new Error('not yet'), 'done')
  const { handle, handleAndWait, time } = buildHandler([waits.processor, soon.processor])
  t.strictSame(await handleAndWait(), { kind: 'retry', delaySeconds: 1 })
  t.strictSame(await handleAndWait(), { kind: 'retry', delaySeconds: 3614 })
  t.strictSame([waits.runs(), soon.runs()], [1, 2])
  t.strictSame(await handle(), { kind: 'delete' })
  t.strictSame([waits.runs(), soon.runs()], [2, 2])
  t.equal(time.now, NOW + 3_615_000)
})

t.test('runs nothing if the event is redelivered too early', async (t) => {
  const until = new Date(NOW + 86_400_000)
  const waits = scripted('waits', new RetryLaterError('busy', until), 'at last')
  const { handle, time, writes, counts } = buildHandler([waits.processor])
  t.strictSame(await handle(), { kind: 'retry', delaySeconds: 86_415 })
  writes.length = 0
  // SQS hides a message for 12 hours at most
  for (const hours of [11.7, 23.4]) {
    time.now = NOW + hours * 3_600_000
    t.strictSame(await handle(), { kind: 'retry', delaySeconds: 86_415 - hours * 3600 })
  }
  t.equal(waits.runs(), 1)
  t.strictSame(writes, [])
  t.match(counts, { EventsRetried: 1 })
  time.now = NOW + 86_415_000
  t.strictSame(await handle(), { kind: 'delete' })
  t.equal(waits.runs(), 2)
})

t.test('dead-letters an event that would wait too long', async (t) => {
  const waits = scripted('waits', new RetryLaterError('busy', new Date(NOW + 8 * 86_400_000)))
  const { handle, dead } = buildHandler([waits.processor])
  t.strictSame(await handle(), { kind: 'delete' })
  t.match(dead, [{ code: 'WAIT_TOO_LONG', processor: 'waits' }])
})

t.test('dead-letters a permanent failure at once, with its reason', async (t) => {
  const good = scripted('good', 'done')
  const bad = scripted('bad', new PermanentError('no such field', { code: 'NO_FIELD' }))
  const { handle, entry, dead, lines } = buildHandler([bad.processor, good.processor])
  t.strictSame(await handle(), { kind: 'delete' })
  t.match(dead, [{ id: `${upload.id}.bad`, code: 'NO_FIELD', processor: 'bad' }])
  t.strictSame(decodeMessage(dead[0]!.body), upload)
  t.match(entry(), {
    status: 'dead',
    processors: {
      bad: { outcome: 'dead', code: 'NO_FIELD', message: 'no such field' },
      good: { outcome: 'succeeded' }
    },
    lastError: { processor: 'bad', code: 'NO_FIELD' }
  })
  t.match(lines, [{ msg: 'event dead-lettered', err: { code: 'NO_FIELD' } }, { msg: 'event processed' }])
})

t.test('reports an event as dead-lettered after the queue has stored it', async (t) => {
  const told: unknown[] = []
  const bad = scripted('bad', new PermanentError('no hook at https://hooks.example/CAPABILITY'))
  const { handle, dead } = buildHandler([bad.processor, scripted('good', 'done').processor], {
    onDeadLetter: (event, letter) => void told.push([event, letter, dead.length])
  })
  await handle()
  t.strictSame(told, [
    [upload, { processor: 'bad', code: 'PERMANENT', message: 'no hook at https://hooks.example/…' }, 1]
  ])
})

t.test('dead-letters a permanent failure once while another processor retries', async (t) => {
  const fatal = scripted('fatal', new PermanentError('never'))
  const later = scripted('later', new Error('not yet'), 'at last')
  const { handle, handleAndWait, entry, dead } = buildHandler([fatal.processor, later.processor])
  t.match(await handleAndWait(), { kind: 'retry' })
  t.strictSame(await handle(), { kind: 'delete' })
  t.strictSame([fatal.runs(), later.runs(), dead.length], [1, 2, 1])
  t.match(entry(), { status: 'dead' })
})

t.test('dead-letters a processor after twelve failures', async (t) => {
  const bad = scripted('bad', new Error('always'))
  const { handle, handleAndWait, entry, dead } = buildHandler([bad.processor])
  for (let attempt = 1; attempt < 12; attempt++) t.match(await handleAndWait(), { kind: 'retry' })
  t.strictSame(dead, [])
  t.strictSame(await handle(), { kind: 'delete' })
  t.equal(bad.runs(), 12)
  t.match(dead, [{ code: 'Error', processor: 'bad' }])
  t.match(entry(), { status: 'dead', processors: { bad: { attempts: 12 } } })
})

t.test("one processor's failures use up no attempts of another", async (t) => {
  const bad = scripted('bad', new Error('always'))
  const lateScript = [...Array.from({ length: 11 }, () => 'done'), new Error('its first'), 'done']
  const late = scripted('late', ...lateScript)
  const { handleAndWait, dead, entry, entries } = buildHandler([bad.processor, late.processor])
  for (let attempt = 1; attempt < 12; attempt++) {
    await handleAndWait()
    // without its record, `late` is due again in each attempt
    const { late: _, ...others } = entry()!.processors
    entries.set(upload.id, { ...entry()!, processors: others })
  }
  t.match(await handleAndWait(), { kind: 'retry' })
  t.strictSame(await handleAndWait(), { kind: 'delete' })
  t.match(dead, [{ processor: 'bad' }])
  t.match(entry(), { status: 'dead', processors: { late: { outcome: 'succeeded', attempts: 2 } } })
})

t.test('dead-letters only a processor that crashes its worker each time', async (t) => {
  const killed = new AbortController()
  t.teardown(() => killed.abort(new ListenerError('LEASE_LOST', 'killed')))
  const { promise: started, resolve: start } = Promise.withResolvers<void>()
  const kills: Processor = {
    name: 'kills',
    on: ['upload'],
    handle: () => {
      start()
      return new Promise<void>(() => {})
    }
  }
  const good = scripted('good', 'done')
  const { handle, entry, dead, counts, durations } = buildHandler([kills, good.processor])
  for (let attempt = 1; attempt <= 12; attempt++) {
    void handle(upload, killed.signal)
    await started
    await setImmediate()
    t.match(entry(), {
      status: 'processing',
      processors: { kills: { outcome: 'started', attempts: attempt } }
    })
  }
  t.strictSame(counts, {})
  t.strictSame(await handle(), { kind: 'delete' })
  t.equal(good.runs(), 1)
  t.match(dead, [{ code: 'ATTEMPTS_EXHAUSTED', processor: 'kills' }])
  t.equal(dead.length, 1)
  t.match(entry(), {
    status: 'dead',
    processors: { kills: { outcome: 'dead' }, good: { outcome: 'succeeded' } }
  })
  t.notOk('ProcessorDuration kills' in durations, 'it did not run')
})

t.test('waits for a rate limit without using up an attempt', async (t) => {
  const until = new Date(NOW + 600_000)
  const limited = scripted('limited', cloudinaryError({ kind: 'rate-limited', until }, 420), 'at last')
  const { handle, entry } = buildHandler([limited.processor])
  t.strictSame(await handle(), { kind: 'retry', delaySeconds: 615 })
  t.match(entry(), { status: 'retrying', processors: { limited: { attempts: 0, waits: 1 } } })
})

t.test('while Cloudinary is down, an event waits and its failures do not count', async (t) => {
  const failure = cloudinaryError({ kind: 'retryable' }, 503)
  const bad = scripted('bad', failure)
  const { handle, handleAndWait, entry, breaker, writes, time } = buildHandler([bad.processor])
  for (let i = 0; i < 5; i++) breaker.observe(failure)

  t.match(await handle(), { kind: 'retry', delaySeconds: 2 })
  t.strictSame(writes, [], 'nothing is journaled')

  time.now += 1000
  for (let probe = 0; probe < 20; probe++) {
    t.match(await handleAndWait(), { kind: 'retry' })
    t.notOk(breaker.isClosed)
  }
  t.match(entry(), { status: 'retrying', processors: { bad: { attempts: 0, waits: 20 } } })
  t.equal(bad.runs(), 20, 'each probe is released')
})

t.test('a failure does not count if no call was answered since the previous one', async (t) => {
  const failure = cloudinaryError({ kind: 'retryable' }, 503)
  let fails = true
  const calling: Processor = {
    name: 'calling',
    on: ['upload'],
    async handle() {
      if (!fails) throw new Error('mine')
      breaker.observe(failure)
      throw new Error('cannot tag', { cause: failure })
    }
  }
  const { handle, record, breaker, time } = buildHandler([calling])
  const attempts = async () => {
    await handle()
    time.now += 60_000
    return record('calling')?.attempts
  }
  breaker.succeeded()
  t.equal(await attempts(), 1, 'a call was answered before the first attempt')
  t.equal(await attempts(), 1)
  breaker.succeeded()
  t.equal(await attempts(), 2, 'a call was answered since')
  t.equal(await attempts(), 2)
  breaker.succeeded()
  fails = false
  t.equal(await attempts(), 3)
  t.equal(await attempts(), 4, 'a failure of its own counts if Cloudinary answers')
})

const anyChance = fc
  .noBias(fc.infiniteStream(fc.nat(2 ** 30 - 1), { noHistory: true }))
  .map((numbers) => () => numbers.next().value / 2 ** 30)
const anyFleet = fc.record({ workers: fc.integer({ min: 1, max: 30 }), random: fc.noShrink(anyChance) })

t.test('an outage of hours dead-letters no event, for any number of workers', async () => {
  const property = fc.asyncProperty(anyFleet, fc.integer({ min: 1, max: 4 }), async (fleet, events) => {
    const results = await runFleet({ ...fleet, events, hours: 6 })
    return results.every(({ attempts, deadAfter }) => attempts <= 1 && deadAfter === undefined)
  })
  await fc.assert(property, { numRuns: 15 })
})

t.test(
  'dead-letters an event that always fails while others succeed, for any number of workers',
  async () => {
    const property = fc.asyncProperty(
      anyFleet,
      fc.integer({ min: 1, max: 60 }),
      async (fleet, answerEvery) => {
        const [result] = await runFleet({ ...fleet, events: 1, answerEvery, hours: 6 })
        return result!.deadAfter !== undefined && result!.attempts === 12 && result!.receives < 200
      }
    )
    await fc.assert(property, { numRuns: 15 })
  }
)

t.test('SQS dead-letters no event within three days of an outage of Cloudinary or DynamoDB', async (t) => {
  for (const isJournalDown of [false, true]) {
    const [result] = await runFleet({ workers: 3, events: 1, hours: 72, isJournalDown, random: Math.random })
    t.match(result, { deadAfter: undefined })
  }
})

t.test('delays a waiting event longer the longer Cloudinary is down', async (t) => {
  const { handle, breaker, time } = buildHandler([scripted('tag', 'tagged').processor])
  const failure = cloudinaryError({ kind: 'retryable' }, 503)
  for (let i = 0; i < 5; i++) breaker.observe(failure)
  t.strictSame(
    await handle(upload, NEVER, 300),
    { kind: 'retry', delaySeconds: 2 },
    'whatever its receive count'
  )
  time.now += 6_000_000
  breaker.observe(failure)
  t.strictSame(await handle(), { kind: 'retry', delaySeconds: 300 })
})

t.test('a failure counts even if another processor was rate limited', async (t) => {
  const limited = cloudinaryError({ kind: 'rate-limited', until: new Date(NOW + 5000) }, 420)
  const { handle, entry } = buildHandler([
    scripted('a', limited).processor,
    scripted('b', new Error('mine')).processor
  ])
  t.strictSame(await handle(), { kind: 'retry', delaySeconds: 1 }, 'the shorter delay')
  t.match(entry(), { status: 'retrying', processors: { a: { attempts: 0 }, b: { attempts: 1 } } })
})

t.test('an interruption by a shutdown does not count and needs no delay', async (t) => {
  const stopping = new AbortController()
  const interrupted: Processor = {
    name: 'interrupted',
    on: ['upload'],
    handle: () => {
      stopping.abort(new Error('stopping'))
      return new Promise<void>(() => {})
    }
  }
  const { handle, record } = buildHandler([interrupted])
  t.strictSame(await handle(upload, stopping.signal), { kind: 'retry', delaySeconds: 0 })
  t.match(record('interrupted'), { outcome: 'failed', attempts: 0 })
})

t.test('records no failure after the lease is lost', async (t) => {
  const lost = new AbortController()
  const first = scripted('first', new Error('not yet'))
  const { promise: started, resolve: start } = Promise.withResolvers<void>()
  const hangs: Processor = {
    name: 'hangs',
    on: ['upload'],
    handle: () => {
      start()
      return new Promise<void>(() => {})
    }
  }
  const last = scripted('last', 'done')
  const { handle, entry, lines, dead } = buildHandler([first.processor, hangs, last.processor])
  const handled = handle(upload, lost.signal)
  await started
  const theirs = {
    outcome: 'succeeded',
    at: '2026-06-01T12:00:09.000Z',
    milliseconds: 1,
    attempts: 2,
    waits: 0
  }
  Object.assign(entry()!, { attemptId: 'theirs', processors: { hangs: theirs } })
  lost.abort(new ListenerError('LEASE_LOST', 'lost'))
  t.match(await handled, { kind: 'retry', delaySeconds: 0 })
  t.match(entry(), { status: 'processing', processors: { hangs: theirs } })
  t.equal(last.runs(), 0)
  t.strictSame(dead, [])
  t.match(lines, [
    { msg: 'event failed; will be retried', processor: 'first' },
    { msg: 'event failed; will be retried', processor: 'hangs', err: { code: 'LEASE_LOST' } }
  ])
})

t.test('does not overwrite the record of another worker after the lease is lost', async (t) => {
  const { promise: started, resolve: start } = Promise.withResolvers<void>()
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const slow: Processor = {
    name: 'slow',
    on: ['upload'],
    async handle() {
      start()
      await released
    }
  }
  const last = scripted('last', 'done')
  const { handle, entry, lines } = buildHandler([slow, last.processor])
  const handled = handle()
  await started
  Object.assign(entry()!, { attemptId: 'theirs' })
  release()
  t.strictSame(await handled, { kind: 'retry', delaySeconds: 0 })
  t.match(entry(), { status: 'processing', processors: { slow: { outcome: 'started' } } })
  t.equal(last.runs(), 0)
  t.match(lines.at(-1), { level: 40, code: 'LEASE_LOST' })
})

t.test('counts events by outcome and runs by processor', async (t) => {
  const good = scripted('good', 'done')
  const bad = scripted('bad', new Error('not yet'), 'at last')
  const { handle, counts, durations, time } = buildHandler([bad.processor, good.processor])
  time.now = Date.parse(upload.receivedAt)
  await handle()
  t.strictSame(counts, {
    'ProcessorFailed bad': 1,
    'ProcessorProcessed good': 1,
    EventsRetried: 1
  })
  t.notOk('EndToEndLatency' in durations, 'the event is unfinished')
  t.equal(durations.RetriedEventAge?.length, 1)
  time.now = Date.parse(upload.receivedAt) + 12_345
  await handle()
  t.match(counts, { 'ProcessorProcessed bad': 1, EventsProcessed: 1, EventsRetried: 1 })
  t.strictSame(durations.EndToEndLatency, [12_345])
  t.equal(durations['ProcessorDuration bad']?.length, 2)
  t.equal(durations['ProcessorDuration good']?.length, 1)
  await handle()
  t.match(counts, { EventsDuplicate: 1, EventsProcessed: 1 })
  await handle(sampleEvent('create_folder'))
  t.match(counts, { EventsIgnored: 1 })
})

t.test('does not count a partly dead event as processed', async (t) => {
  const dead = scripted('dead', new PermanentError('never'))
  const { handle, counts, durations } = buildHandler([dead.processor, scripted('good', 'done').processor])
  await handle()
  await handle('not an event')
  t.strictSame(counts, {
    'ProcessorFailed dead': 1,
    'ProcessorProcessed good': 1,
    EventsDeadLettered: 2
  })
  t.notOk('EndToEndLatency' in durations)
})

t.test('does not count an event that waits for Cloudinary', async (t) => {
  const { handle, breaker, counts } = buildHandler([scripted('tag', 'tagged').processor])
  for (let i = 0; i < 5; i++) breaker.observe(cloudinaryError({ kind: 'retryable' }, 503))
  t.match(await handle(), { kind: 'retry' })
  t.strictSame(counts, {})
})

t.test('a redrive reruns only dead processors', async (t) => {
  const good = scripted('good', 'done')
  const bad = scripted('bad', new PermanentError('never'), 'fixed')
  const { handle, entry, dead, durations } = buildHandler([bad.processor, good.processor])
  await handle()
  const redriven: AssetEvent = { ...upload, run: { kind: 'redrive', id: 'r1' }, traceId: 'Root=1' }
  t.strictSame(await handle(redriven), { kind: 'delete' })
  t.strictSame([bad.runs(), good.runs()], [2, 1])
  t.match(entry(), { status: 'done' })
  t.notOk('EndToEndLatency' in durations, 'a redrive has no latency')
  t.strictSame(await handle(redriven), { kind: 'delete' }, 'redelivered')
  t.equal(bad.runs(), 2)
  t.equal(dead.length, 1)
})

t.test('a redrive that fails again becomes another dead letter', async (t) => {
  const bad = scripted('bad', new PermanentError('never'))
  const { handle, dead } = buildHandler([bad.processor])
  await handle()
  await handle({ ...upload, run: { kind: 'redrive', id: 'r1' } })
  t.strictSame(
    dead.map(({ id }) => id),
    [`${upload.id}.bad`, `${upload.id}.bad.r1`]
  )
})

t.test('a replay reruns every processor once', async (t) => {
  const good = scripted('good', 'done')
  const twice = scripted('twice', 'done', new Error('not yet'), 'done')
  const { handle, handleAndWait } = buildHandler([good.processor, twice.processor])
  await handle()
  const replayed: AssetEvent = { ...upload, run: { kind: 'replay', id: 'p1' } }
  t.match(await handleAndWait(replayed), { kind: 'retry' })
  t.strictSame(await handle(replayed), { kind: 'delete' })
  t.strictSame([good.runs(), twice.runs()], [2, 3], 'a success within the replay is not rerun')
})

t.test('finishes an event whose pending processors are no longer configured', async (t) => {
  const bad = scripted('bad', new Error('not yet'))
  const good = scripted('good', 'done')
  const { handle, entries, entry } = buildHandler([good.processor])
  const ran = { at: '', milliseconds: 1, attempts: 1, waits: 0 }
  entries.set(upload.id, {
    status: 'retrying',
    attempts: 1,
    attemptId: 'earlier',
    processors: {
      good: { ...ran, outcome: 'succeeded' },
      [bad.processor.name]: { ...ran, outcome: 'failed', code: 'X', message: 'x', notBefore: '' }
    }
  })
  t.strictSame(await handle(), { kind: 'delete' })
  t.match(entry(), { status: 'done' })
})

t.test('handles an event under the id that the journal gives it', async (t) => {
  const { journal, entries } = memoryJournal()
  const identify: typeof journal.identify = async (event) => ({ ...event, id: `later-${event.id}` })
  const seen: string[] = []
  const sees: Processor = {
    name: 'sees',
    on: ['upload'],
    handle: ({ id }) => {
      seen.push(id)
      throw new PermanentError('never')
    }
  }
  const { handle, dead } = buildHandler([sees], { journal: { ...journal, identify } })
  await handle()
  t.strictSame(seen, [`later-${upload.id}`])
  t.ok(entries.has(`later-${upload.id}`))
  t.equal(decodeMessage(dead[0]!.body).id, `later-${upload.id}`, 'a redrive continues this event')
})

t.test('runs a processor with any name', async (t) => {
  const odd = scripted('constructor', 'done')
  const { handle, entry } = buildHandler([odd.processor])
  t.strictSame(await handle(), { kind: 'delete' })
  t.equal(odd.runs(), 1)
  t.match(entry(), { status: 'done' })
})

t.test('each run of a processor is traced', async (t) => {
  const { tracing, spans } = memoryTracing()
  const processors = [scripted('one', 'done'), scripted('two', new PermanentError('no'))]
  const { handle } = buildHandler(
    processors.map(({ processor }) => processor),
    { tracing }
  )
  await handle()
  t.strictSame(spans, ['process message-1 upload', 'processor one', 'processor two'])
})
