import t from 'tap'
import { type SweepOptions, sweepDeadLetters } from '../../../app/activity/dead-letter-sweep.ts'
import { eventAt } from '../../support/activity.ts'
import { MemoryDeadLetters } from '../../support/repairs.ts'

function build(change: Partial<SweepOptions> = {}) {
  const queue = new MemoryDeadLetters()
  const deleted: string[] = []
  const kept: string[] = []
  const checked: number[] = []
  const options: SweepOptions = {
    queue,
    isWanted: ({ event }) => event.id.endsWith('1'),
    onDeleted: async (deadLetters) => void deleted.push(...deadLetters.map(({ event }) => event.id)),
    onNotDeleted: (deadLetters) => void kept.push(...deadLetters.map(({ event }) => event.id)),
    onChecked: (number) => void checked.push(number),
    until: 100,
    maximum: 1000,
    signal: new AbortController().signal,
    ...change
  }
  return { queue, deleted, kept, checked, options }
}

t.test('deletes wanted dead letters and keeps the others', async (t) => {
  const { queue, deleted, checked, options } = build()
  for (let after = 0; after < 25; after++) queue.put(eventAt(after))
  queue.put(undefined)
  queue.put(eventAt(31), 101)
  t.equal(await sweepDeadLetters(options), 'complete')
  t.strictSame(deleted, ['event-000001', 'event-000011', 'event-000021'])
  t.equal(queue.messages.length, 24)
  t.ok(queue.events.includes('event-000031'), 'added after the start')
  t.strictSame(checked, [10, 20, 27, 27, 27])
  t.equal((await queue.open().receive()).length, 10, 'the others are visible again')
})

t.test('a dead letter that SQS does not delete is reported as such', async (t) => {
  const { queue, deleted, kept, options } = build()
  queue.put(eventAt(1))
  const { open } = queue
  queue.open = () => ({ ...open(), delete: async () => false })
  t.equal(await sweepDeadLetters(options), 'complete')
  t.strictSame(deleted, [])
  t.strictSame(kept, [eventAt(1).id])
})

t.test('stops at the limit', async (t) => {
  const { queue, checked, options } = build({ maximum: 20 })
  for (let after = 0; after < 25; after++) queue.put(eventAt(after))
  t.equal(await sweepDeadLetters(options), 'limit')
  t.strictSame(checked, [10, 20])
})

t.test('an abort stops after the batch in hand', async (t) => {
  const abort = new AbortController()
  const { queue, checked, options } = build({ signal: abort.signal })
  for (let after = 0; after < 25; after++) queue.put(eventAt(after))
  const aborting = { ...options, onDeleted: async () => abort.abort() }
  t.equal(await sweepDeadLetters(aborting), 'aborted')
  t.strictSame(checked, [10])
  t.equal((await queue.open().receive()).length, 10, 'nothing stays hidden')
})

t.test('new dead letters do not keep a sweep going', async (t) => {
  const { queue, options } = build()
  for (let after = 0; after < 95; after++) queue.put(eventAt(after), 101)
  t.equal(await sweepDeadLetters(options), 'complete')
  t.equal(queue.messages.length, 95)
})

t.test('releases what it holds when the queue fails', async (t) => {
  const { queue, options } = build()
  queue.put(eventAt(2))
  const failing = { ...options, onDeleted: async () => Promise.reject(new Error('down')) }
  await t.rejects(sweepDeadLetters(failing), { message: 'down' })
  t.equal((await queue.open().receive()).length, 1)
})
