import t from 'tap'
import { deleteDeadLetters, SweepQueue } from '../../../app/activity/repair-dead-letters.ts'
import { eventAt, iso, NOW } from '../../support/activity.ts'
import { MemoryDeadLetters } from '../../support/repairs.ts'

t.test('runs one sweep at a time, also after one that failed', async (t) => {
  const sweeps = new SweepQueue()
  const { signal } = new AbortController()
  const order: string[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const first = sweeps.run(async () => {
    order.push('first begins')
    await promise
    order.push('first ends')
    throw new Error('down')
  }, signal)
  const second = sweeps.run(async () => {
    order.push('second')
    return 'complete'
  }, signal)
  resolve()
  await t.rejects(first, { message: 'down' })
  t.equal(await second, 'complete')
  t.strictSame(order, ['first begins', 'first ends', 'second'])
})

t.test('an abort ends the wait for a turn at once, and the next one keeps its turn', async (t) => {
  const sweeps = new SweepQueue()
  const first = Promise.withResolvers<'complete'>()
  const { signal } = new AbortController()
  const abort = new AbortController()
  const order: string[] = []
  const running = sweeps.run(() => first.promise, signal)
  const waiting = sweeps.run(async () => {
    order.push('aborted')
    return 'complete'
  }, abort.signal)
  const next = sweeps.run(async () => {
    order.push('next')
    return 'complete'
  }, signal)
  abort.abort()
  t.equal(await waiting, 'aborted')
  t.strictSame(order, [])
  first.resolve('complete')
  t.strictSame(await Promise.all([running, next]), ['complete', 'complete'])
  t.strictSame(order, ['next'])
})

t.test('records the progress, and leaves dead letters that came later', async (t) => {
  const deadLetters = new MemoryDeadLetters()
  deadLetters.put(eventAt(1), NOW)
  deadLetters.put(eventAt(2), NOW)
  deadLetters.put(eventAt(1), NOW + 1)
  const seen: unknown[] = []
  const progress = {
    repair: { at: iso(NOW) },
    signal: new AbortController().signal,
    sweeping: (found: unknown) => void seen.push(found)
  }
  const isWanted = ({ event }: { event: { id: string } }) => event.id === eventAt(1).id
  const end = await deleteDeadLetters(
    progress as never,
    { deadLetters, sweeps: new SweepQueue() },
    {
      isWanted,
      until: () => NOW
    }
  )
  t.equal(end, 'complete')
  t.strictSame(seen[0], { queued: 3, checked: 0, deleted: 0 })
  t.strictSame(seen.at(-1), { queued: 3, checked: 3, deleted: 1 })
  t.strictSame(deadLetters.events, [eventAt(2).id, eventAt(1).id])
})
