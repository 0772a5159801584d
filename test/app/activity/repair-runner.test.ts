import t from 'tap'
import { MemoryActivityStore } from '../../../app/activity/memory-activity-store.ts'
import { ReplayRunner, type ReplayRunnerOptions } from '../../../app/activity/replay-runner.ts'
import { ListenerError } from '../../../app/errors.ts'
import type { AssetEvent } from '../../../app/ingest/event.ts'
import { eventAt, iso, memoryLog, NOW, settled } from '../../support/activity.ts'

const { signal } = new AbortController()

const ALL = { selection: { filter: {} }, failedOnly: false, by: 'anna' }

function build(options: Partial<ReplayRunnerOptions> = {}) {
  const store = new MemoryActivityStore()
  const sent: AssetEvent[] = []
  const { log, lines } = memoryLog()
  let runs = 0
  const runner = new ReplayRunner({
    store,
    journal: store.journal,
    sender: { store: async (events) => void sent.push(...events) },
    log,
    clock: () => NOW,
    newRunId: () => `run${++runs}`,
    ...options
  })
  const ended = async (id: string) => {
    for (;;) {
      const replay = runner.find(id)!
      if (replay.state !== 'running') return replay
      await settled()
    }
  }
  return { runner, store, sent, lines, ended }
}

/** A sender whose calls wait until they are released. */
function slowSender() {
  const calls: { event: AssetEvent; done: () => void }[] = []
  return {
    calls,
    sender: {
      store: ([event]: readonly AssetEvent[]) =>
        new Promise<void>((resolve) => calls.push({ event: event!, done: resolve }))
    }
  }
}

t.test('sends each of 5,000 events by filter once, in order per asset', async (t) => {
  const { runner, store, sent, ended } = build()
  for (let after = 0; after < 5000; after++) {
    const number = (after * 7919) % 5000
    const asset = { assetId: `asset-${number % 300}` }
    store.put(eventAt(number, { asset, group: asset.assetId }), { status: 'dead' })
  }
  store.put(eventAt(6000))
  const replay = await runner.start({ ...ALL, selection: { filter: { status: ['dead'] } } }, signal)
  t.match(replay, { id: 'run1', state: 'running', total: 5000, by: 'anna', startedAt: iso(NOW) })
  t.match(await ended('run1'), { state: 'done', sent: 5000, failed: 0, endedAt: iso(NOW) })
  t.equal(new Set(sent.map(({ id }) => id)).size, 5000)
  t.equal(sent.length, 5000)
  for (const events of Map.groupBy(sent, ({ group }) => group).values()) {
    const times = events.map(({ occurredAt }) => occurredAt)
    t.strictSame(times, times.toSorted())
  }
  t.ok(sent.every(({ run }) => run?.kind === 'replay' && run.id === 'run1'))
})

t.test('only failed processors run on request', async (t) => {
  const { runner, store, sent, ended } = build()
  store.put(eventAt(1), { status: 'dead' })
  store.put(eventAt(2))
  t.equal(await runner.count({ ...ALL, failedOnly: true }, signal), 1)
  t.equal(await runner.count(ALL, signal), 2)
  t.strictSame(sent, [], 'counting sends nothing')
  await runner.start({ ...ALL, failedOnly: true }, signal)
  t.match(await ended('run1'), { total: 1, sent: 1, failedOnly: true })
  t.match(sent, [{ id: 'event-000001', run: { kind: 'redrive', id: 'run1' } }])
})

t.test('the log contains the user, the selection and the outcome of a replay', async (t) => {
  const { runner, store, lines, ended } = build()
  store.put(eventAt(1))
  await runner.start(ALL, signal)
  await ended('run1')
  await runner.start({ ...ALL, selection: { ids: ['event-000001'] } }, signal)
  await ended('run2')
  t.notOk('filter' in lines[2]!)
  t.match(lines, [
    {
      msg: 'replay started',
      run: 'run1',
      by: 'anna',
      events: 1,
      failedOnly: false,
      filter: {}
    },
    { msg: 'replay ended', run: 'run1', by: 'anna', state: 'done', events: 1, sent: 1, failed: 0 },
    { msg: 'replay started', run: 'run2', by: 'anna', events: 1 },
    { msg: 'replay ended', run: 'run2' }
  ])
})

t.test('shows progress, limits concurrent assets, and stops after an abort', async (t) => {
  const { calls, sender } = slowSender()
  const { runner, store, lines } = build({ sender, concurrency: 2 })
  for (let after = 0; after < 9; after++) store.put(eventAt(after, { asset: { assetId: `${after % 3}` } }))
  await runner.start(ALL, signal)
  await settled()
  t.equal(calls.length, 2)
  calls[0]!.done()
  await settled()
  t.match(runner.find('run1'), { state: 'running', total: 9, sent: 1 })
  t.equal(calls.length, 3)
  t.equal(calls[2]!.event.asset?.assetId, calls[0]!.event.asset?.assetId, 'the next of its asset')
  const aborted = runner.abort('run1', 'bob')
  for (const { done } of calls) done()
  t.match(await aborted, { state: 'aborted', sent: 3, total: 9 }, 'calls in flight end, and count')
  t.equal(calls.length, 3)
  t.match(lines, [{}, { msg: 'replay abort requested', run: 'run1', by: 'bob' }, { state: 'aborted' }])
  t.match(await runner.abort('run1', 'bob'), { state: 'aborted' })
  t.equal(lines.length, 3, 'an ended replay is not aborted again')
  t.equal(await runner.abort('other', 'bob'), undefined)
  t.equal(runner.find('other'), undefined)
})

t.test('reports an event that cannot be sent, and sends the others', async (t) => {
  const refusal = new ListenerError('QUEUE_UNAVAILABLE', 'not stored', {
    cause: new ListenerError('InvalidMessage', 'for itself')
  })
  const sent: string[] = []
  const { runner, store, ended } = build({
    sender: {
      store: async ([event]) => {
        if (event!.id === 'event-000002') throw new ListenerError('EVENT_TOO_LARGE', 'too large')
        if (event!.id === 'event-000003') throw refusal
        sent.push(event!.id)
      }
    }
  })
  for (let after = 1; after <= 5; after++) store.put(eventAt(after))
  const { find } = store.journal
  store.journal.find = async (id: string) => {
    const found = await find(id)
    if (id === 'event-000004') return undefined
    return id === 'event-000005' ? { ...found!, event: undefined } : found
  }
  const ids = [1, 2, 3, 4, 5].map((after) => eventAt(after).id)
  await runner.start({ ...ALL, selection: { ids: [...ids, 'unknown'] } }, signal)
  const { failures, ...replay } = await ended('run1')
  t.match(replay, { state: 'done', total: 6, sent: 1, failed: 5 })
  t.strictSame(sent, ['event-000001'])
  t.strictSame(Object.fromEntries(failures.map(({ id, code }) => [id, code])), {
    unknown: 'EVENT_UNKNOWN',
    'event-000002': 'EVENT_TOO_LARGE',
    'event-000003': 'QUEUE_UNAVAILABLE',
    'event-000004': 'EVENT_UNKNOWN',
    'event-000005': 'PAYLOAD_MISSING'
  })
})

t.test('keeps the first of many failures, and counts all', async (t) => {
  const { runner, store, ended } = build()
  for (let after = 1; after <= 30; after++) store.put(eventAt(after))
  store.journal.find = async () => undefined
  await runner.start(ALL, signal)
  const { failures, failed } = await ended('run1')
  t.equal(failures.length, 20)
  t.equal(failed, 30)
})

t.test('a failing queue or journal stops the replay', async (t) => {
  for (const error of [
    new ListenerError('QUEUE_UNAVAILABLE', 'down', { cause: new Error('no connection') }),
    new Error('unexpected')
  ]) {
    let calls = 0
    const { runner, store, lines, ended } = build({
      sender: {
        store: async () => {
          calls++
          throw error
        }
      },
      concurrency: 2
    })
    for (let after = 1; after <= 9; after++) store.put(eventAt(after, { asset: { assetId: `${after}` } }))
    await runner.start(ALL, signal)
    const code = error instanceof ListenerError ? error.code : 'Error'
    t.match(await ended('run1'), { state: 'failed', sent: 0, error: { code } })
    t.ok(calls <= 2)
    t.match(lines.at(-1), { msg: 'replay ended', state: 'failed', code })
  }
})

t.test('a failed or aborted selection does not start a replay', async (t) => {
  const { runner, store } = build()
  store.list = async () => {
    throw new ListenerError('JOURNAL_UNAVAILABLE', 'down')
  }
  await t.rejects(runner.start(ALL, signal), { code: 'JOURNAL_UNAVAILABLE' })
  t.equal(runner.find('run1'), undefined)
  const gone = AbortSignal.abort(new Error('gone'))
  await t.rejects(runner.start({ ...ALL, selection: { ids: ['a'] } }, gone), { message: 'gone' })
})

t.test('a selection that takes too long is refused', async (t) => {
  const { runner, store } = build({ selectWithinMs: 1 })
  store.list = ({ signal }) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  // the deadline itself does not keep a process
  const alive = setTimeout(() => {}, 60_000)
  await t.rejects(runner.count(ALL, signal), { code: 'REPLAY_TOO_LARGE' })
  clearTimeout(alive)
})

t.test('too many replays at a time are refused; stopping ends them', async (t) => {
  const { calls, sender } = slowSender()
  const { runner, store } = build({ sender })
  store.put(eventAt(1))
  for (let runs = 0; runs < 4; runs++) await runner.start(ALL, signal)
  await t.rejects(runner.start(ALL, signal), { code: 'REPLAYS_BUSY' })
  await settled()
  const stopped = runner.stop()
  for (const { done } of calls) done()
  await stopped
  t.match(runner.find('run4'), { state: 'done' })
  t.ok(await runner.start(ALL, signal))
  await settled()
  calls.at(-1)!.done()
})

t.test('keeps the last replays', async (t) => {
  const { runner, store, ended } = build()
  store.put(eventAt(1))
  for (let run = 1; run <= 105; run++) {
    await runner.start(ALL, signal)
    await ended(`run${run}`)
  }
  t.equal(runner.find('run4'), undefined)
  t.match(runner.find('run5'), { state: 'done' })
})
