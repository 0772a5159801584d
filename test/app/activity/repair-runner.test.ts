import t from 'tap'
import { MemoryActivityStore } from '../../../app/activity/memory-activity-store.ts'
import { RepairRunner, type RepairRunnerOptions } from '../../../app/activity/repair-runner.ts'
import { ListenerError } from '../../../app/errors.ts'
import type { AssetEvent } from '../../../app/ingest/event.ts'
import { eventAt, iso, ManualTime, memoryLog, NOW, settled } from '../../support/activity.ts'
import { failed as failedRecord } from '../../support/activity-events.ts'
import { MemoryDeadLetters, MemoryRepairStore } from '../../support/repairs.ts'

const { signal } = new AbortController()

const ALL = {
  kind: 'replay',
  selection: { filter: {} },
  failedOnly: false,
  by: 'anna',
  from: 'page'
} as const

function build(options: Partial<RepairRunnerOptions> = {}) {
  const store = new MemoryActivityStore()
  const sent: AssetEvent[] = []
  const { log, lines } = memoryLog()
  let runs = 0
  const time = new ManualTime()
  const repairs = new MemoryRepairStore()
  const deadLetters = new MemoryDeadLetters()
  const runner = new RepairRunner({
    store,
    repairs,
    deadLetters,
    journal: store.journal,
    discardEvent: store.discardEvent,
    sender: { store: async (events) => void sent.push(...events) },
    log,
    clock: time.clock,
    every: time.every,
    newRunId: () => `run${++runs}`,
    ...options
  })
  const ended = async (id: string) => {
    for (;;) {
      const replay = (await runner.find(id))!
      if (replay.state !== 'running') return replay
      await settled()
    }
  }
  return { runner, store, sent, lines, ended, time, repairs, deadLetters }
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
  t.match(replay, { id: 'run1', state: 'running', total: 5000, by: 'anna', at: iso(NOW) })
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
  t.match(await runner.count({ filter: {} }, 'replay', signal), { failed: 1, all: 2 })
  t.strictSame(sent, [], 'counting sends nothing')
  await runner.start({ ...ALL, failedOnly: true }, signal)
  t.match(await ended('run1'), { total: 1, sent: 1, failedOnly: true })
  t.match(sent, [
    { id: 'event-000001', run: { kind: 'redrive', id: 'run1', by: 'anna', at: iso(NOW), from: 'page' } }
  ])
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
  t.match(await runner.find('run1'), { state: 'running', total: 9, sent: 1 })
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
  t.equal(await runner.find('other'), undefined)
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
  t.equal(await runner.find('run1'), undefined)
  const gone = AbortSignal.abort(new Error('gone'))
  await t.rejects(runner.start({ ...ALL, selection: { ids: ['a'] } }, gone), { message: 'gone' })
})

t.test('a selection that takes too long is refused', async (t) => {
  const { runner, store } = build({ selectWithinMs: 1 })
  store.list = ({ signal }) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  // the deadline itself does not keep a process
  const alive = setTimeout(() => {}, 60_000)
  await t.rejects(runner.start(ALL, signal), { code: 'REPLAY_TOO_LARGE' })
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
  t.match(await runner.find('run4'), { state: 'done' })
  t.ok(await runner.start(ALL, signal))
  await settled()
  calls.at(-1)!.done()
})

const DISCARD = {
  kind: 'discard',
  reason: 'gone',
  selection: { filter: {} },
  by: 'anna',
  from: 'api'
} as const

const DEAD = { status: 'dead', processors: { notify: failedRecord('dead', NOW) } } as const

t.test('a replay deletes the dead letters of its events once they are sent', async (t) => {
  const { runner, store, sent, lines, ended, deadLetters } = build()
  store.put(eventAt(1), DEAD)
  store.put(eventAt(2), { status: 'retrying', processors: DEAD.processors })
  store.put(eventAt(3), { status: 'retrying' })
  store.put(eventAt(4), DEAD)
  for (const after of [1, 1, 2, 3, 4]) deadLetters.put(eventAt(after), NOW)
  deadLetters.put(eventAt(1, { run: { kind: 'redrive', id: 'run1' } }), NOW)
  deadLetters.put(undefined, NOW)
  const ids = [1, 2, 3].map((after) => eventAt(after).id)
  await runner.start({ ...ALL, failedOnly: true, selection: { ids } }, signal)
  t.match(await ended('run1'), {
    ...{ state: 'done', sent: 3, deadLetters: { queued: 7, checked: 7, deleted: 3 } }
  })
  t.equal(sent.length, 3)
  t.strictSame(
    deadLetters.events,
    [eventAt(3).id, eventAt(4).id, eventAt(1).id, undefined],
    'those of other events, of retrying ones, and one that failed in this run'
  )
  t.match(lines.at(-1), { msg: 'replay ended', deadLetters: 3 })
})

t.test('a replay without dead events does not read the dead-letter queue', async (t) => {
  const { runner, store, ended, deadLetters } = build()
  deadLetters.open = () => t.fail() as never
  store.put(eventAt(1))
  await runner.start(ALL, signal)
  t.notOk('deadLetters' in (await ended('run1')))
})

t.test('an abort leaves the dead letters of a replay', async (t) => {
  const { calls, sender } = slowSender()
  const { runner, store, deadLetters } = build({ sender, concurrency: 1 })
  for (const after of [1, 2]) {
    store.put(eventAt(after), DEAD)
    deadLetters.put(eventAt(after), NOW)
  }
  await runner.start(ALL, signal)
  await settled()
  const aborted = runner.abort('run1', 'bob')
  calls[0]!.done()
  t.match(await aborted, { state: 'aborted', sent: 1, abortedBy: 'bob' })
  t.equal(deadLetters.messages.length, 2)
})

t.test('an error of the dead-letter queue is reported after the events are sent', async (t) => {
  for (const kind of ['replay', 'discard'] as const) {
    const { runner, store, ended, deadLetters } = build()
    deadLetters.count = async () => Promise.reject(new Error('down'))
    store.put(eventAt(1), DEAD)
    await runner.start(kind === 'replay' ? ALL : DISCARD, signal)
    t.match(await ended('run1'), {
      ...{ state: 'failed', sent: kind === 'replay' ? 1 : 0, discarded: 0, error: { message: 'down' } }
    })
  }
})

t.test('discards dead events with a reason, and deletes their dead letters', async (t) => {
  const { runner, store, sent, lines, ended, deadLetters } = build()
  for (const after of [1, 2, 3]) store.put(eventAt(after), DEAD)
  store.put(eventAt(4))
  for (const after of [1, 1, 3, 4]) deadLetters.put(eventAt(after), NOW)
  t.match(await runner.count({ filter: {} }, 'discard', signal), { all: 3, dead: 3 })
  await runner.start(DISCARD, signal)
  t.match(await ended('run1'), {
    ...{ kind: 'discard', state: 'done', total: 3, discarded: 3, failed: 0, reason: 'gone' },
    deadLetters: { deleted: 3 }
  })
  t.match(await store.find(eventAt(2).id), {
    status: 'discarded',
    discarded: { by: 'anna', at: iso(NOW), from: 'api', reason: 'gone' }
  })
  t.strictSame(deadLetters.events, [eventAt(4).id])
  t.strictSame(sent, [])
  t.match(lines, [
    { msg: 'discard started', reason: 'gone', events: 3 },
    { msg: 'discard ended', discarded: 3, deadLetters: 3 }
  ])
  t.match(await runner.count({ filter: {} }, 'replay', signal), { all: 4, failed: 0 })
})

t.test('a filter without dead events discards nothing', async (t) => {
  const { runner, store, ended } = build()
  store.put(eventAt(1), DEAD)
  store.put(eventAt(2))
  await runner.start({ ...DISCARD, selection: { filter: { status: ['done'] } } }, signal)
  t.match(await ended('run1'), { state: 'done', total: 0 })
  await runner.start({ ...DISCARD, selection: { filter: { status: ['done', 'dead'] } } }, signal)
  t.match(await ended('run2'), { state: 'done', total: 1 })
})

t.test('an event that was run again is not discarded', async (t) => {
  const { runner, store, ended } = build({ discardEvent: async () => false })
  store.put(eventAt(1), DEAD)
  await runner.start(DISCARD, signal)
  t.match(await ended('run1'), { state: 'done', discarded: 0, failures: [{ code: 'EVENT_NOT_DEAD' }] })
})

t.test('deletes the dead letters of events that died while they were selected', async (t) => {
  const { runner, store, ended, deadLetters } = build()
  store.put(eventAt(1), DEAD)
  deadLetters.put(eventAt(1), NOW + 5000)
  await runner.start(DISCARD, signal)
  t.match(await ended('run1'), { state: 'done', discarded: 1, deadLetters: { deleted: 1 } })
  t.strictSame(deadLetters.events, [])
})

t.test('an event whose dead letter SQS does not delete stays dead', async (t) => {
  const { runner, store, ended, deadLetters } = build()
  for (const after of [1, 2]) store.put(eventAt(after), DEAD)
  deadLetters.put(eventAt(1), NOW)
  const { open } = deadLetters
  deadLetters.open = () => ({ ...open(), delete: async () => false })
  await runner.start(DISCARD, signal)
  t.match(await ended('run1'), {
    ...{ state: 'done', discarded: 1, failed: 1 },
    failures: [{ id: eventAt(1).id, code: 'DEAD_LETTER_NOT_DELETED' }]
  })
  t.match(await store.find(eventAt(1).id), { status: 'dead' })
})

t.test('a journal that fails stops a discard after the marks in progress', async (t) => {
  let calls = 0
  const { runner, store, ended } = build({
    concurrency: 4,
    discardEvent: async () => {
      calls++
      await settled()
      throw new ListenerError('JOURNAL_UNAVAILABLE', 'down')
    }
  })
  for (let after = 1; after <= 20; after++) store.put(eventAt(after), DEAD)
  await runner.start(DISCARD, signal)
  t.match(await ended('run1'), { state: 'failed', discarded: 0, error: { code: 'JOURNAL_UNAVAILABLE' } })
  t.equal(calls, 4)
})

t.test('no secret of a reason is kept', async (t) => {
  const { runner, store, ended, lines } = build()
  store.put(eventAt(1), DEAD)
  const reason = 'failed at https://hooks.example.com/T0/hunter2'
  await runner.start({ ...DISCARD, reason }, signal)
  const repair = await ended('run1')
  t.notMatch(JSON.stringify([repair, lines, await store.find(eventAt(1).id)]), 'hunter2')
  t.match(repair, { reason: /^failed at / })
})

t.test('with too many dead letters, events whose own was not found stay dead', async (t) => {
  const { runner, store, ended, deadLetters } = build({ maximumDeadLetters: 10 })
  for (const after of [1, 2]) store.put(eventAt(after), DEAD)
  deadLetters.put(eventAt(1), NOW)
  for (let after = 10; after < 30; after++) deadLetters.put(eventAt(after), NOW)
  deadLetters.put(eventAt(2), NOW)
  await runner.start(DISCARD, signal)
  t.match(await ended('run1'), {
    ...{ state: 'done', discarded: 1, failed: 1 },
    failures: [{ id: eventAt(2).id, code: 'DEAD_LETTER_NOT_FOUND' }]
  })
  t.match(await store.find(eventAt(2).id), { status: 'dead' })
})

t.test('an aborted discard can be repeated', async (t) => {
  const { runner, store, ended, deadLetters } = build()
  for (let after = 1; after <= 30; after++) {
    store.put(eventAt(after), DEAD)
    deadLetters.put(eventAt(after), NOW)
  }
  const { open } = deadLetters
  deadLetters.open = () => {
    void runner.abort('run1', 'bob')
    return open()
  }
  await runner.start(DISCARD, signal)
  t.match(await ended('run1'), { state: 'aborted', discarded: 0 })
  deadLetters.open = open
  await runner.start(DISCARD, signal)
  t.match(await ended('run2'), { state: 'done', discarded: 30 })
})

t.test('records the progress every second, and any process can show and abort it', async (t) => {
  const { calls, sender } = slowSender()
  const repairs = new MemoryRepairStore()
  const { runner, store, time } = build({ sender, repairs, concurrency: 1 })
  for (let after = 0; after < 9; after++) store.put(eventAt(after, { asset: { assetId: `${after}` } }))
  const other = build({ repairs, clock: time.clock }).runner
  await runner.start(ALL, signal)
  await settled()
  t.match(await other.find('run1'), { state: 'running', sent: 0 })
  calls[0]!.done()
  await settled()
  t.match(await other.find('run1'), { sent: 0 })
  await time.pass(1000)
  t.match(await other.find('run1'), { sent: 1, updatedAt: iso(NOW + 1000) })
  t.match(await other.recent(signal), [{ id: 'run1', sent: 1 }])
  t.match(await runner.recent(signal), [{ id: 'run1', sent: 1 }])

  t.match(await other.abort('run1', 'bob'), { state: 'running', abortedBy: 'bob' })
  await time.pass(1000)
  calls[1]!.done()
  await settled()
  await settled()
  t.match(await runner.find('run1'), { state: 'aborted', sent: 2, abortedBy: 'bob' })
  t.equal(calls.length, 2)
  t.match(await other.abort('run1', 'bob'), { state: 'aborted' })
  t.equal(time.timers, 0)
})

t.test('a repair whose process was killed is shown as lost', async (t) => {
  const { sender } = slowSender()
  const repairs = new MemoryRepairStore()
  const { runner, store } = build({ sender, repairs })
  store.put(eventAt(1))
  await runner.start(ALL, signal)
  const later = build({ repairs, clock: () => NOW + 61_000 }).runner
  t.match(await later.find('run1'), { state: 'lost' })
  t.match(await later.recent(signal), [{ state: 'lost' }])
  t.match(await later.abort('run1', 'bob'), { state: 'lost' })
  t.match(await repairs.find('run1'), { abortedBy: 'bob' }, 'it may run, and only look lost')
})

t.test('does not start without a record; later failures to record do not stop it', async (t) => {
  const { runner, store, repairs, lines, time } = build()
  store.put(eventAt(1))
  const { save } = repairs
  repairs.save = async () => Promise.reject(new ListenerError('JOURNAL_UNAVAILABLE', 'down'))
  await t.rejects(runner.start(ALL, signal), { code: 'JOURNAL_UNAVAILABLE' })
  t.equal(await runner.find('run1'), undefined)
  let saves = 0
  repairs.save = async (repair) => {
    if (++saves > 1) throw new ListenerError('JOURNAL_UNAVAILABLE', 'down')
    return save.call(repairs, repair)
  }
  await runner.start(ALL, signal)
  await time.pass(1000)
  t.match(await repairs.find('run2'), { state: 'running' })
  t.ok(lines.some(({ msg }) => msg === 'progress of a repair not recorded'))
  t.ok(lines.some(({ msg }) => msg === 'replay ended'))
})
