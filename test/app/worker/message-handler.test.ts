import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { pino } from 'pino'
import t from 'tap'
import { Breaker } from '../../../app/cloudinary/breaker.ts'
import { type CallFailure, CloudinaryError } from '../../../app/cloudinary/cloudinary-error.ts'
import { ListenerError, PermanentError, RetryLaterError } from '../../../app/errors.ts'
import type { AssetEvent } from '../../../app/ingest/event.ts'
import type { CloudinaryClient, Processor } from '../../../app/listener.ts'
import { SERIALIZERS } from '../../../app/logger.ts'
import { decodeMessage, encodeMessage } from '../../../app/queue/message-codec.ts'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { memoryJournal } from '../../../app/testing/memory-journal.ts'
import { memoryState } from '../../../app/testing/memory-state.ts'
import { describeMessage, type HandleOptions, handleMessage } from '../../../app/worker/message-handler.ts'
import { DEFAULT_CONFIG } from '../../support/config.ts'
import { sampleEvent } from '../../support/events.ts'
import { runFleet } from '../../support/fleet.ts'
import { memoryMetrics } from '../../support/metrics.ts'

const NOW = Date.parse('2026-06-01T12:00:10.000Z')
const upload = sampleEvent('upload')
const never = new AbortController().signal

/** Handles messages with these processors, and keeps what came of it. */
function build(processors: Processor[], overrides: Partial<HandleOptions> = {}) {
  const time = { now: NOW }
  const { journal, entries, writes } = memoryJournal(() => time.now)
  const letters: { id: string; body: string; code: string; processor?: string | undefined }[] = []
  const lines: Record<string, unknown>[] = []
  const { metrics, counts, durations } = memoryMetrics()
  const breaker = new Breaker({ clock: () => time.now, random: () => 0 })
  const options: HandleOptions = {
    processors,
    config: DEFAULT_CONFIG,
    journal,
    state: memoryState().store,
    clients: { for: () => ({}) as CloudinaryClient, breaker: () => breaker },
    environments: { isOwnKey: () => false },
    deadLetters: {
      put: async (id, body, { code, processor }) => void letters.push({ id, body, code, processor })
    },
    metrics,
    log: pino({ serializers: SERIALIZERS }, { write: (line) => void lines.push(JSON.parse(line)) }),
    clock: () => time.now,
    random: () => 0.5,
    ...overrides
  }
  const handle = (event: AssetEvent | string = upload, signal: AbortSignal = never, receiveCount = 1) => {
    const body = typeof event === 'string' ? event : encodeMessage(event)
    return handleMessage({ id: 'message-1', body, group: 'g', receiveCount }, signal, options)
  }
  /** Handles it, and comes to the time at which SQS delivers it again. */
  const handleAndWait = async (event: AssetEvent = upload) => {
    const disposition = await handle(event)
    if (disposition.kind === 'retry') time.now += disposition.delaySeconds * 1000
    return disposition
  }
  const record = (name: string) => entries.get(upload.id)?.processors[name]
  return {
    handle,
    handleAndWait,
    record,
    entries,
    writes,
    letters,
    lines,
    counts,
    durations,
    breaker,
    time,
    entry: () => entries.get(upload.id)
  }
}

/** A processor that does what it is told, run by run, and counts its runs. */
function scripted(name: string, ...script: (string | Error)[]) {
  let runs = 0
  const processor: Processor = {
    name,
    on: ['upload'],
    async handle() {
      const next = script[Math.min(runs++, script.length - 1)]
      if (next instanceof Error) throw next
      return next
    }
  }
  return { processor, runs: () => runs }
}

const cloudinaryError = (fault: CallFailure, status?: number) =>
  new CloudinaryError('CLOUDINARY_UNAVAILABLE', 'add tag', fault, status)

t.test('an event with one processor costs two writes, and is done', async (t) => {
  const { processor, runs } = scripted('tag', 'tagged')
  const { handle, entry, writes, lines } = build([processor])
  t.strictSame(await handle(), { kind: 'delete' })
  t.equal(runs(), 1)
  t.strictSame(writes, ['begin', 'record'])
  t.match(entry(), {
    status: 'done',
    attempts: 1,
    processors: { tag: { outcome: 'succeeded', note: 'tagged' } }
  })
  t.match(lines, [
    { msg: 'event processed', eventId: upload.id, processor: 'tag', note: 'tagged', type: 'upload' }
  ])
})

t.test('an event that is delivered again is not processed again', async (t) => {
  const { processor, runs } = scripted('tag', 'tagged')
  const { handle, lines } = build([processor])
  await handle()
  t.strictSame(await handle(), { kind: 'delete' })
  t.equal(runs(), 1)
  t.match(lines.at(-1), { msg: 'duplicate event skipped', outcome: 'duplicate' })
})

t.test(
  'an event that no processor wants, and a change of our own, are journaled with the reason',
  async (t) => {
    const { handle, entries, lines, writes } = build([scripted('tag', '').processor])
    const own = sampleEvent('upload', { apiKey: LOCAL_CLOUDINARY.apiKey, publicId: 'other' })
    t.strictSame(await handle(own), { kind: 'delete' })
    const nameless = sampleEvent('moderation', {}, { public_id: undefined })
    t.strictSame(await handle(nameless), { kind: 'delete' })
    const folder = sampleEvent('create_folder')
    t.strictSame(await handle(folder), { kind: 'delete' })
    t.match(entries.get(own.id), { status: 'ignored', reason: "a change made with the listener's own key" })
    t.match(entries.get(folder.id), { status: 'ignored', reason: 'no processor is on create_folder' })
    t.strictSame(writes, ['ignore', 'ignore', 'ignore'])
    t.match(lines, [
      { msg: 'event ignored', asset: 'other' },
      { msg: 'event ignored', asset: nameless.asset?.assetId },
      { msg: 'event ignored' }
    ])
    t.notOk('asset' in lines[2]!)
  }
)

t.test(
  'a change by a key that was rotated in, unknown where it was stored, is known for our own',
  async (t) => {
    const newKey = '200000000000002'
    const seen: AssetEvent['origin'][] = []
    const asking: Processor = {
      name: 'asking',
      on: ['rename'],
      ownChanges: true,
      handle: (event) => void seen.push(event.origin)
    }
    const { handle, entries } = build([scripted('tag', '').processor, asking], {
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
    t.match(entries.get('elsewhere'), { status: 'done' }, 'it is the key of that cloud alone')
    const nobodys = { ...stored, id: 'nobodys', origin: { source: null, id: null, own: false } }
    await handle(nobodys)
    t.match(entries.get('nobodys'), { status: 'done' })
  }
)

t.test("one processor's failure does not run its neighbours again", async (t) => {
  const good = scripted('good', 'done')
  const bad = scripted('bad', new Error('not yet'), new Error('not yet'), 'at last')
  const { handleAndWait, entry } = build([bad.processor, good.processor])
  t.strictSame(await handleAndWait(), { kind: 'retry', delaySeconds: 1 })
  t.match(entry(), { status: 'retrying', lastError: { processor: 'bad', message: 'not yet' } })
  t.strictSame(await handleAndWait(), { kind: 'retry', delaySeconds: 2 }, 'twice the time')
  t.strictSame(await handleAndWait(), { kind: 'delete' })
  t.strictSame([bad.runs(), good.runs()], [3, 1])
  t.match(entry(), {
    status: 'done',
    attempts: 3,
    processors: { bad: { attempts: 3 }, good: { attempts: 1 } }
  })
})

t.test("one processor's wait does not hold its neighbours", async (t) => {
  const until = new Date(NOW + 3_600_000)
  const waits = scripted('waits', new RetryLaterError('busy', until), 'at last')
  const soon = scripted('soon', new Error('not yet'), 'done')
  const { handle, handleAndWait, time } = build([waits.processor, soon.processor])
  t.strictSame(await handleAndWait(), { kind: 'retry', delaySeconds: 1 })
  t.strictSame(await handleAndWait(), { kind: 'retry', delaySeconds: 3614 })
  t.strictSame([waits.runs(), soon.runs()], [1, 2])
  t.strictSame(await handle(), { kind: 'delete' })
  t.strictSame([waits.runs(), soon.runs()], [2, 2])
  t.equal(time.now, NOW + 3_615_000)
})

t.test('an event that is delivered too early runs nothing, and waits on', async (t) => {
  const until = new Date(NOW + 86_400_000)
  const waits = scripted('waits', new RetryLaterError('busy', until), 'at last')
  const { handle, time, writes, counts } = build([waits.processor])
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

t.test('an event that would have to wait too long is dead-lettered', async (t) => {
  const waits = scripted('waits', new RetryLaterError('busy', new Date(NOW + 8 * 86_400_000)))
  const { handle, letters } = build([waits.processor])
  t.strictSame(await handle(), { kind: 'delete' })
  t.match(letters, [{ code: 'WAIT_TOO_LONG', processor: 'waits' }])
})

t.test('a permanent failure goes to the dead-letter queue at once, with its reason', async (t) => {
  const good = scripted('good', 'done')
  const bad = scripted('bad', new PermanentError('no such field', { code: 'NO_FIELD' }))
  const { handle, entry, letters, lines } = build([bad.processor, good.processor])
  t.strictSame(await handle(), { kind: 'delete' })
  t.match(letters, [{ id: `${upload.id}.bad`, code: 'NO_FIELD', processor: 'bad' }])
  t.strictSame(decodeMessage(letters[0]!.body), upload)
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

t.test(
  'a permanent failure beside one that may pass: the one is put aside once, the other tried again',
  async (t) => {
    const dead = scripted('dead', new PermanentError('never'))
    const later = scripted('later', new Error('not yet'), 'at last')
    const { handle, handleAndWait, entry, letters } = build([dead.processor, later.processor])
    t.match(await handleAndWait(), { kind: 'retry' })
    t.strictSame(await handle(), { kind: 'delete' })
    t.strictSame([dead.runs(), later.runs(), letters.length], [1, 2, 1])
    t.match(entry(), { status: 'dead' })
  }
)

t.test('a processor that fails twelve times is dead-lettered, with what it failed with', async (t) => {
  const bad = scripted('bad', new Error('as ever'))
  const { handle, handleAndWait, entry, letters } = build([bad.processor])
  for (let attempt = 1; attempt < 12; attempt++) t.match(await handleAndWait(), { kind: 'retry' })
  t.strictSame(letters, [])
  t.strictSame(await handle(), { kind: 'delete' })
  t.equal(bad.runs(), 12)
  t.match(letters, [{ code: 'Error', processor: 'bad' }])
  t.match(entry(), { status: 'dead', processors: { bad: { attempts: 12 } } })
})

t.test("a neighbour's failures use up no attempts of a processor", async (t) => {
  const bad = scripted('bad', new Error('as ever'))
  const lateScript = [...Array.from({ length: 11 }, () => 'done'), new Error('its first'), 'done']
  const late = scripted('late', ...lateScript)
  const { handleAndWait, letters, entry, entries } = build([bad.processor, late.processor])
  for (let attempt = 1; attempt < 12; attempt++) {
    await handleAndWait()
    // as if it were to run again each time
    const { late: _, ...others } = entry()!.processors
    entries.set(upload.id, { ...entry()!, processors: others })
  }
  t.match(await handleAndWait(), { kind: 'retry' })
  t.strictSame(await handleAndWait(), { kind: 'delete' })
  t.match(letters, [{ processor: 'bad' }])
  t.match(entry(), { status: 'dead', processors: { late: { outcome: 'succeeded', attempts: 2 } } })
})

t.test(
  'a processor that ends its worker each time is dead-lettered alone, and the later ones run',
  async (t) => {
    const killed = new AbortController()
    t.teardown(() => killed.abort(new ListenerError('LEASE_LOST', 'killed')))
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
    const kills: Processor = {
      name: 'kills',
      on: ['upload'],
      handle: () => {
        begin()
        return new Promise<void>(() => {})
      }
    }
    const good = scripted('good', 'done')
    const { handle, entry, letters, counts, durations } = build([kills, good.processor])
    for (let attempt = 1; attempt <= 12; attempt++) {
      void handle(upload, killed.signal)
      await begun
      await setImmediate()
      t.match(entry(), {
        status: 'processing',
        processors: { kills: { outcome: 'started', attempts: attempt } }
      })
    }
    t.strictSame(counts, {})
    t.strictSame(await handle(), { kind: 'delete' })
    t.equal(good.runs(), 1)
    t.match(letters, [{ code: 'ATTEMPTS_EXHAUSTED', processor: 'kills' }])
    t.equal(letters.length, 1)
    t.match(entry(), {
      status: 'dead',
      processors: { kills: { outcome: 'dead' }, good: { outcome: 'succeeded' } }
    })
    t.notOk('ProcessorDuration kills' in durations, 'it was not run')
  }
)

t.test('a rate limit is waited for, and does not count as an attempt', async (t) => {
  const until = new Date(NOW + 600_000)
  const limited = scripted('limited', cloudinaryError({ kind: 'rate-limited', until }, 420), 'at last')
  const { handle, entry } = build([limited.processor])
  t.strictSame(await handle(), { kind: 'retry', delaySeconds: 615 })
  t.match(entry(), { status: 'retrying', processors: { limited: { attempts: 0, waits: 1 } } })
})

t.test('while Cloudinary is down an event waits, untouched, and its failures do not count', async (t) => {
  const failure = cloudinaryError({ kind: 'retryable' }, 503)
  const bad = scripted('bad', failure)
  const { handle, handleAndWait, entry, breaker, writes, time } = build([bad.processor])
  for (let i = 0; i < 5; i++) breaker.observe(failure)

  t.match(await handle(), { kind: 'retry', delaySeconds: 2 })
  t.strictSame(writes, [], 'not even journaled')

  time.now += 1000
  for (let probe = 0; probe < 20; probe++) {
    t.match(await handleAndWait(), { kind: 'retry' })
    t.notOk(breaker.isClosed)
  }
  t.match(entry(), { status: 'retrying', processors: { bad: { attempts: 0, waits: 20 } } })
  t.equal(bad.runs(), 20, 'each probe is given back, so that the next event may try')
})

t.test('what fails with no call answered since it failed before does not count', async (t) => {
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
  const { handle, record, breaker, time } = build([calling])
  const attempts = async () => {
    await handle()
    time.now += 60_000
    return record('calling')?.attempts
  }
  breaker.succeeded()
  t.equal(await attempts(), 1, 'one was answered before it was first tried')
  t.equal(await attempts(), 1)
  breaker.succeeded()
  t.equal(await attempts(), 2, 'one was answered since')
  t.equal(await attempts(), 2)
  breaker.succeeded()
  fails = false
  t.equal(await attempts(), 3)
  t.equal(await attempts(), 4, 'a failure of its own counts wherever Cloudinary does not fail')
})

const anyChance = fc
  .noBias(fc.infiniteStream(fc.nat(2 ** 30 - 1), { noHistory: true }))
  .map((numbers) => () => numbers.next().value / 2 ** 30)
const anyFleet = fc.record({ workers: fc.integer({ min: 1, max: 30 }), random: fc.noShrink(anyChance) })

t.test('an outage of hours puts nothing aside, however few the events and many the workers', async () => {
  const property = fc.asyncProperty(anyFleet, fc.integer({ min: 1, max: 4 }), async (fleet, events) => {
    const fates = await runFleet({ ...fleet, events, hours: 6 })
    return fates.every(({ attempts, deadAfter }) => attempts <= 1 && deadAfter === undefined)
  })
  await fc.assert(property, { numRuns: 15 })
})

t.test('an event that always fails while others do not is put aside, however many the workers', async () => {
  const property = fc.asyncProperty(anyFleet, fc.integer({ min: 1, max: 60 }), async (fleet, answerEvery) => {
    const [fate] = await runFleet({ ...fleet, events: 1, answerEvery, hours: 6 })
    return fate!.deadAfter !== undefined && fate!.attempts === 12 && fate!.receives < 200
  })
  await fc.assert(property, { numRuns: 15 })
})

t.test(
  'SQS puts nothing aside within three days, whether Cloudinary or DynamoDB does not answer',
  async (t) => {
    for (const isJournalDown of [false, true]) {
      const [fate] = await runFleet({ workers: 3, events: 1, hours: 72, isJournalDown, random: Math.random })
      t.match(fate, { deadAfter: undefined })
    }
  }
)

t.test('the longer Cloudinary is down, the later an event that waits is delivered again', async (t) => {
  const { handle, breaker, time } = build([scripted('tag', 'tagged').processor])
  const failure = cloudinaryError({ kind: 'retryable' }, 503)
  for (let i = 0; i < 5; i++) breaker.observe(failure)
  t.strictSame(await handle(upload, never, 300), { kind: 'retry', delaySeconds: 2 }, 'whatever its receives')
  time.now += 6_000_000
  breaker.observe(failure)
  t.strictSame(await handle(), { kind: 'retry', delaySeconds: 300 })
})

t.test('a failure for another reason counts, whatever its neighbour met with', async (t) => {
  const limited = cloudinaryError({ kind: 'rate-limited', until: new Date(NOW + 5000) }, 420)
  const { handle, entry } = build([
    scripted('a', limited).processor,
    scripted('b', new Error('mine')).processor
  ])
  t.strictSame(await handle(), { kind: 'retry', delaySeconds: 1 }, 'the shorter delay')
  t.match(entry(), { status: 'retrying', processors: { a: { attempts: 0 }, b: { attempts: 1 } } })
})

t.test('being cut short by a stop does not count, and needs no wait', async (t) => {
  const stopping = new AbortController()
  const cut: Processor = {
    name: 'cut',
    on: ['upload'],
    handle: () => {
      stopping.abort(new Error('stopping'))
      return new Promise<void>(() => {})
    }
  }
  const { handle, record } = build([cut])
  t.strictSame(await handle(upload, stopping.signal), { kind: 'retry', delaySeconds: 0 })
  t.match(record('cut'), { outcome: 'failed', attempts: 0 })
})

t.test('a worker that has lost a message notes no failure: the next one may have noted more', async (t) => {
  const lost = new AbortController()
  const first = scripted('first', new Error('not yet'))
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  const hangs: Processor = {
    name: 'hangs',
    on: ['upload'],
    handle: () => {
      begin()
      return new Promise<void>(() => {})
    }
  }
  const last = scripted('last', 'done')
  const { handle, entry, lines, letters } = build([first.processor, hangs, last.processor])
  const handled = handle(upload, lost.signal)
  await begun
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
  t.strictSame(letters, [])
  t.match(lines, [
    { msg: 'event failed; it will be tried again', processor: 'first' },
    { msg: 'event failed; it will be tried again', processor: 'hangs', err: { code: 'LEASE_LOST' } }
  ])
})

t.test('an effect of a lost lease is not recorded over what another worker recorded', async (t) => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const slow: Processor = {
    name: 'slow',
    on: ['upload'],
    async handle() {
      begin()
      await released
    }
  }
  const last = scripted('last', 'done')
  const { handle, entry, lines } = build([slow, last.processor])
  const handled = handle()
  await begun
  Object.assign(entry()!, { attemptId: 'theirs' })
  release()
  t.strictSame(await handled, { kind: 'retry', delaySeconds: 0 })
  t.match(entry(), { status: 'processing', processors: { slow: { outcome: 'started' } } })
  t.equal(last.runs(), 0)
  t.match(lines.at(-1), { level: 40, code: 'LEASE_LOST' })
})

t.test('a message that this listener did not write is put aside at once', async (t) => {
  const { handle, letters, lines } = build([])
  t.strictSame(await handle('not an event'), { kind: 'delete' })
  t.match(letters, [{ id: 'message-1', code: 'MESSAGE_UNREADABLE' }])
  t.match(lines, [{ msg: 'message dead-lettered', code: 'MESSAGE_UNREADABLE' }])
})

t.test('when journal or dead-letter queue do not answer, the message comes again', async (t) => {
  const down = async () => {
    throw new Error('down')
  }
  const { journal } = memoryJournal()
  for (const overrides of [{ journal: { ...journal, begin: down } }, { deadLetters: { put: down } }]) {
    const { handle, lines, counts } = build(
      [scripted('bad', new PermanentError('never')).processor],
      overrides
    )
    t.strictSame(await handle(), { kind: 'retry', delaySeconds: 1 })
    t.strictSame(await handle(upload, never, 100), { kind: 'retry', delaySeconds: 100 }, 'ever longer')
    t.match(lines.at(-1), {
      msg: 'message handling failed; will be redelivered',
      err: { message: 'down' },
      messageId: 'message-1',
      eventId: upload.id
    })
    t.match(counts, { MessagesNotHandled: 2 })
  }
  const unreadable = build([], { deadLetters: { put: down } })
  t.match(await unreadable.handle('x'), { kind: 'retry' })
  t.strictSame(unreadable.counts, { MessagesNotHandled: 1 })
})

t.test('what a line says of a message is what the lines of its event say', async (t) => {
  const of = (body: string) => describeMessage({ id: 'message-1', body, group: 'g', receiveCount: 1 })
  const traced: AssetEvent = { ...upload, traceId: 'Root=1' }
  t.match(of(encodeMessage(traced)), { messageId: 'message-1', eventId: upload.id, traceId: 'Root=1' })
  t.strictSame(of('not an event'), { messageId: 'message-1' })
})

t.test('each event is counted by what became of it, and each run by its processor', async (t) => {
  const good = scripted('good', 'done')
  const bad = scripted('bad', new Error('not yet'), 'at last')
  const { handle, counts, durations, time } = build([bad.processor, good.processor])
  time.now = Date.parse(upload.receivedAt)
  await handle()
  t.strictSame(counts, {
    'ProcessorFailed bad': 1,
    'ProcessorProcessed good': 1,
    EventsRetried: 1
  })
  t.notOk('EndToEndLatency' in durations, 'it is not done')
  t.equal(durations.RetryAge?.length, 1)
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

t.test('an event of which a part is dead is not counted as processed', async (t) => {
  const dead = scripted('dead', new PermanentError('never'))
  const { handle, counts, durations } = build([dead.processor, scripted('good', 'done').processor])
  await handle()
  await handle('not an event')
  t.strictSame(counts, {
    'ProcessorFailed dead': 1,
    'ProcessorProcessed good': 1,
    EventsDeadLettered: 2
  })
  t.notOk('EndToEndLatency' in durations)
})

t.test('an event that waits for Cloudinary is counted when it is run', async (t) => {
  const { handle, breaker, counts } = build([scripted('tag', 'tagged').processor])
  for (let i = 0; i < 5; i++) breaker.observe(cloudinaryError({ kind: 'retryable' }, 503))
  t.match(await handle(), { kind: 'retry' })
  t.strictSame(counts, {})
})

t.test(
  'how old an event is each time it is handed back is told, whatever for; of redrives it is not',
  async (t) => {
    const { processor } = scripted('tag', new Error('not yet'), new Error('not yet'), new Error('not yet'))
    const { journal } = memoryJournal()
    let isDown = false
    const begin: typeof journal.begin = (...given) =>
      isDown ? Promise.reject(new Error('down')) : journal.begin(...given)
    const { handle, breaker, durations, time } = build([processor], { journal: { ...journal, begin } })
    const received = Date.parse(upload.receivedAt)
    time.now = received + 1000
    await handle()
    isDown = true
    time.now = received + 2000
    await handle()
    for (let i = 0; i < 5; i++) breaker.observe(cloudinaryError({ kind: 'retryable' }, 503))
    time.now = received + 2001
    await handle()
    await handle({ ...upload, run: { kind: 'redrive', id: 'r1' } })
    t.strictSame(durations.RetryAge, [1000, 2000, 2001])
  }
)

t.test('a redrive runs what is dead again, and not what has succeeded', async (t) => {
  const good = scripted('good', 'done')
  const bad = scripted('bad', new PermanentError('never'), 'mended')
  const { handle, entry, letters, durations } = build([bad.processor, good.processor])
  await handle()
  const redriven: AssetEvent = { ...upload, run: { kind: 'redrive', id: 'r1' }, traceId: 'Root=1' }
  t.strictSame(await handle(redriven), { kind: 'delete' })
  t.strictSame([bad.runs(), good.runs()], [2, 1])
  t.match(entry(), { status: 'done' })
  t.notOk('EndToEndLatency' in durations, 'the time that the operator took is left out')
  t.strictSame(await handle(redriven), { kind: 'delete' }, 'delivered again')
  t.equal(bad.runs(), 2)
  t.equal(letters.length, 1)
})

t.test('a redrive that fails again is put aside again, as another letter', async (t) => {
  const bad = scripted('bad', new PermanentError('never'))
  const { handle, letters } = build([bad.processor])
  await handle()
  await handle({ ...upload, run: { kind: 'redrive', id: 'r1' } })
  t.strictSame(
    letters.map(({ id }) => id),
    [`${upload.id}.bad`, `${upload.id}.bad.r1`]
  )
})

t.test('a replay runs everything again, once', async (t) => {
  const good = scripted('good', 'done')
  const twice = scripted('twice', 'done', new Error('not yet'), 'done')
  const { handle, handleAndWait } = build([good.processor, twice.processor])
  await handle()
  const replayed: AssetEvent = { ...upload, run: { kind: 'replay', id: 'p1' } }
  t.match(await handleAndWait(replayed), { kind: 'retry' })
  t.strictSame(await handle(replayed), { kind: 'delete' })
  t.strictSame([good.runs(), twice.runs()], [2, 3], 'what has succeeded in the replay is not run again in it')
})

t.test('an event whose processors are configured no longer is finished', async (t) => {
  const bad = scripted('bad', new Error('not yet'))
  const good = scripted('good', 'done')
  const { handle, entries, entry } = build([good.processor])
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

t.test('an event is handled under the id that the journal gives it', async (t) => {
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
  const { handle, letters } = build([sees], { journal: { ...journal, identify } })
  await handle()
  t.strictSame(seen, [`later-${upload.id}`])
  t.ok(entries.has(`later-${upload.id}`))
  t.equal(decodeMessage(letters[0]!.body).id, `later-${upload.id}`, 'a redrive continues it')
})

t.test('a processor may have any name', async (t) => {
  const odd = scripted('constructor', 'done')
  const { handle, entry } = build([odd.processor])
  t.strictSame(await handle(), { kind: 'delete' })
  t.equal(odd.runs(), 1)
  t.match(entry(), { status: 'done' })
})
