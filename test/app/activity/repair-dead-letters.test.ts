import t from 'tap'
import { Sweeps, sweepFor } from '../../../app/activity/repair-dead-letters.ts'
import { eventAt, iso, NOW } from '../../support/activity.ts'
import { MemoryDeadLetters } from '../../support/repairs.ts'

t.test('runs one sweep at a time, also after one that failed', async (t) => {
  const sweeps = new Sweeps()
  const order: string[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const first = sweeps.run(async () => {
    order.push('first begins')
    await promise
    order.push('first ends')
    throw new Error('down')
  })
  const second = sweeps.run(async () => {
    order.push('second')
    return 2
  })
  resolve()
  await t.rejects(first, { message: 'down' })
  t.equal(await second, 2)
  t.strictSame(order, ['first begins', 'first ends', 'second'])
})

t.test('records the progress, and leaves dead letters that came after the start', async (t) => {
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
  const end = await sweepFor(progress as never, { deadLetters, sweeps: new Sweeps() }, { isWanted })
  t.equal(end, 'complete')
  t.strictSame(seen[0], { queued: 3, checked: 0, deleted: 0 })
  t.strictSame(seen.at(-1), { queued: 3, checked: 3, deleted: 1 })
  t.strictSame(deadLetters.events, [eventAt(2).id, eventAt(1).id])
})
