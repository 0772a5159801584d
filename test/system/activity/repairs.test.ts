import t, { type Test } from 'tap'
import { RepairRunner, type RepairRunnerOptions } from '../../../app/activity/repair-runner.ts'
import type { AssetEvent } from '../../../app/ingest/event.ts'
import { createActivityStore } from '../../../app/journal/activity-reader.ts'
import { discardEvent } from '../../../app/journal/discard-event.ts'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import { Journal } from '../../../app/journal/journal.ts'
import { JournalReader } from '../../../app/journal/journal-reader.ts'
import type { ProcessorRecord } from '../../../app/journal/processor-record.ts'
import { RepairItems } from '../../../app/journal/repair-items.ts'
import type { Processor } from '../../../app/processor.ts'
import { messagesIn } from '../../../app/queue/sqs-client.ts'
import { planAttempt } from '../../../app/worker/attempt-plan.ts'
import { startDynamoDb } from '../../../dev/embedded-dynamodb.ts'
import { failed, succeeded } from '../../support/activity-events.ts'
import { PATIENT } from '../../support/journal.ts'
import { buildQueues, eventOf, QUIET } from '../../support/operator.ts'

/** `npm run test:replays` replays 5,000. */
const EVENTS = Number(process.env.EVENTS ?? 200)
const ASSETS = 20

t.setTimeout(600_000)

const NOW = Date.now()
const { signal } = new AbortController()
const notify: Processor = { name: 'notify', on: ['*'], handle: () => {} }

const iso = (time: number) => new Date(time).toISOString()

/** Embedded queues and journal, and the repair runners of two activity tasks. */
async function build(t: Test) {
  const dynamoDb = await startDynamoDb()
  Object.assign(process.env, dynamoDb.environment)
  const client = createDynamoDbClient()
  const queues = await buildQueues(t)
  t.teardown(async () => {
    client.destroy()
    await dynamoDb.stop()
  })
  const table = { client, tableName: dynamoDb.tableName }
  const journal = new Journal(table)
  const store = createActivityStore({ ...table, budget: { events: 2000, milliseconds: 60_000 } })
  const { sqs, queue, sender } = queues
  const deadLetterQueueUrl = queue.deadLetterQueueUrl
  let runs = 0
  const runner = (options: Partial<RepairRunnerOptions> = {}) =>
    new RepairRunner({
      store,
      repairs: new RepairItems(table),
      journal: new JournalReader(table),
      discardEvent: (id, discard) => discardEvent(table, id, discard),
      sender,
      deadLetters: { open: () => queues.createReader(), count: () => messagesIn(sqs, deadLetterQueueUrl) },
      log: QUIET,
      clock: Date.now,
      newRunId: () => `run${++runs}`,
      every: () => () => {},
      ...options
    })

  /** An attempt of a worker, for an event as it is in the queue. Resolves to the number of processors that ran. */
  const work = async (event: AssetEvent, record: ProcessorRecord): Promise<number | 'skipped'> => {
    const decision = await journal.startAttempt(
      event,
      (entry) => planAttempt(event, [notify], entry, Date.now()),
      PATIENT
    )
    if (decision.outcome !== 'due') return 'skipped'
    const { attempt, due, started } = decision
    const ran = event.run ? { ...record, run: event.run.id } : record
    const records = { ...attempt.before, ...started, ...(due.length > 0 && { notify: ran }) }
    await journal.record(attempt, records, { status: record.outcome === 'dead' ? 'dead' : 'done' }, PATIENT)
    return due.length
  }
  const dead = failed('dead', NOW - 1000, { code: 'GONE' })
  /** Journals dead events of some assets, the older first in time but last in the journal. */
  const putDead = async (prefix: string, count: number): Promise<AssetEvent[]> => {
    const events = Array.from({ length: count }, (_, index) => {
      const number = (index * 7919) % count
      const group = `${prefix}${number % ASSETS}`
      const asset = { publicId: group, resourceType: 'image', deliveryType: 'upload' }
      const time = iso(NOW - 3_600_000 + number)
      return eventOf(`${prefix}${number.toString(16).padStart(6, '0')}`, {
        ...{ asset, group, occurredAt: time, receivedAt: time }
      })
    })
    const waiting = events.values()
    const putNext = async () => {
      for (const event of waiting) await work(event, dead)
    }
    await Promise.all(Array.from({ length: 16 }, putNext))
    return events
  }
  const ended = async (runner: RepairRunner, id: string) => {
    for (;;) {
      const repair = (await runner.find(id))!
      if (repair.state !== 'running') return repair
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  return { ...queues, table, store, runner, work, putDead, ended }
}

const REPLAY = { kind: 'replay', failedOnly: true, by: 'anna', from: 'page' } as const

t.test(
  `${EVENTS} events by filter: each once, in order per asset, with progress and abort`,
  { timeout: 600_000 },
  async (t) => {
    const { table, store, runner, sender, queued, work, putDead, ended } = await build(t)
    await putDead('a', EVENTS)
    await putDead('b', 1)
    let beat = () => {}
    let saving: Promise<unknown> = Promise.resolve()
    const saved: number[] = []
    const items = new RepairItems(table)
    let sent = 0
    let onTenth = async () => {}
    const first = runner({
      every: (_, save) => {
        beat = save
        return () => {}
      },
      repairs: {
        save: (repair) => {
          saved.push(repair.sent)
          const answer = items.save(repair)
          saving = answer
          return answer
        },
        find: (id) => items.find(id),
        requestAbort: (id, by) => items.requestAbort(id, by),
        recent: (until) => items.recent(until)
      },
      sender: {
        store: async (events, until) => {
          await sender.store(events, until)
          if (++sent % (EVENTS / 10) === 0) await onTenth()
        }
      }
    })
    const second = runner()
    const filter = { prefix: 'a', status: ['dead'] as const }

    // the time limit of counting is for a faster journal
    const counts = await runner({ clock: () => NOW }).count({ filter }, 'replay', signal)
    t.match(counts, { all: EVENTS, failed: EVENTS, isComplete: true })
    const seen: number[] = []
    let id = ''
    onTenth = async () => {
      beat()
      await saving
      seen.push((await second.find(id))!.sent)
    }
    ;({ id } = await first.start({ ...REPLAY, selection: { filter } }, signal))
    t.match(await ended(first, id), { state: 'done', total: EVENTS, sent: EVENTS, failed: 0 })
    t.match(await ended(second, id), { state: 'done', sent: EVENTS })
    t.ok(new Set(seen).size >= 5, `the other task saw ${seen}`)
    t.strictSame(
      saved,
      saved.toSorted((a, b) => a - b)
    )

    const messages = queued()
    t.equal(messages.length, EVENTS)
    t.equal(new Set(messages.map((event) => event.id)).size, EVENTS)
    for (const events of Map.groupBy(messages, ({ group }) => group).values()) {
      const times = events.map(({ occurredAt }) => occurredAt)
      t.strictSame(times, times.toSorted())
    }
    // the worker records who replayed it
    const [event] = messages
    t.equal(await work(event!, succeeded(NOW, 5)), 1)
    t.match(await store.find(event!.id), {
      status: 'done',
      source: 'replay',
      replays: [{ run: id, kind: 'redrive', by: 'anna', from: 'page' }],
      history: [{}, { run: id, source: 'replay' }]
    })

    sent = 0
    let sentAtAbort = 0
    onTenth = async () => {
      if (sentAtAbort > 0) return
      await second.abort(id, 'bob')
      beat()
      await saving
      sentAtAbort = sent
    }
    ;({ id } = await first.start({ ...REPLAY, selection: { filter } }, signal))
    const aborted = await ended(first, id)
    t.match(aborted, { state: 'aborted', abortedBy: 'bob' })
    t.equal(aborted.sent, sent)
    t.ok(sent <= sentAtAbort + 16, `${sent - sentAtAbort} sent after the abort`)
    t.ok(sent < EVENTS)
  }
)

t.test('the dead letter of a replayed event does not stay, and does not run it twice', async (t) => {
  const { runner, queued, deadLetter, deadLetterCounts, work, putDead, ended } = await build(t)
  const events = await putDead('c', 30)
  for (const event of events) await deadLetter(event)
  await deadLetter(eventOf('unrelated'))
  const repairs = runner()
  const chosen = events.slice(0, 12)
  const selection = { ids: chosen.map(({ id }) => id) }
  const { id } = await repairs.start({ ...REPLAY, selection }, signal)
  t.match(await ended(repairs, id), { state: 'done', sent: 12, deadLetters: { checked: 31, deleted: 12 } })
  t.strictSame(deadLetterCounts(), { visible: 19, inFlight: 0 }, 'the others are visible')

  // one that an abort had left: the command redrive sends its event once more
  const sentAgain = queued()
  t.equal(sentAgain.length, 12)
  const [event] = sentAgain
  t.equal(await work(event!, succeeded(NOW, 5)), 1)
  t.equal(await work(event!, succeeded(NOW, 5)), 'skipped', 'a redelivery')
  const left = { ...event!, run: { kind: 'redrive', id: 'command1' } } as const
  t.equal(await work(left, succeeded(NOW, 5)), 0, 'no processor is left to run')
})

t.test('a discarded event is final, whatever is left in the dead-letter queue', async (t) => {
  const { store, runner, queued, deadLetter, deadLetterCounts, work, putDead, ended } = await build(t)
  const events = await putDead('d', 25)
  for (const event of events.slice(0, 20)) await deadLetter(event)
  const repairs = runner()
  const selection = { filter: { status: ['dead'] as const } }
  const { id } = await repairs.start(
    { kind: 'discard', reason: 'gone', selection, by: 'anna', from: 'page' },
    signal
  )
  t.match(await ended(repairs, id), { state: 'done', discarded: 25, deadLetters: { deleted: 20 } })
  t.strictSame(deadLetterCounts(), { visible: 0, inFlight: 0 })
  t.strictSame(queued(), [])
  const unfinished = await store.unfinished('dead', { filter: {}, limit: 50, signal })
  t.strictSame(unfinished.events, [])
  const [event] = events
  t.match(await store.find(event!.id), { status: 'discarded', discarded: { by: 'anna', reason: 'gone' } })
  const redriven = { ...event!, run: { kind: 'redrive', id: 'command1' } } as const
  t.equal(await work(redriven, succeeded(NOW, 5)), 'skipped', 'a dead letter that was left')
  const replayed = { ...event!, run: { kind: 'replay', id: 'r2', by: 'bob', from: 'page' } } as const
  t.equal(await work(replayed, succeeded(NOW, 5)), 1, 'a replay of all processors')
  t.match(await store.find(event!.id), { status: 'done', replays: [{ by: 'bob' }] })
})
