import t from 'tap'
import { type DiscardOptions, discardEvents } from '../../../app/activity/discard-events.ts'
import { SweepQueue } from '../../../app/activity/repair-dead-letters.ts'
import { eventAt, iso, NOW } from '../../support/activity.ts'
import { MemoryDeadLetters } from '../../support/repairs.ts'

t.test(
  'marks an event after its dead letter is deleted, and finishes the batch after an abort',
  async (t) => {
    const deadLetters = new MemoryDeadLetters()
    const lanes = Array.from({ length: 25 }, (_, after) => [eventAt(after).id])
    for (let after = 0; after < 25; after++) deadLetters.put(eventAt(after), NOW)
    const abort = new AbortController()
    const marked: string[] = []
    const discardEvent: DiscardOptions['discardEvent'] = async (id, discard) => {
      t.notOk(deadLetters.events.includes(id))
      t.strictSame(discard, { by: 'anna', at: iso(NOW), from: 'page', reason: 'gone' })
      abort.abort()
      marked.push(id)
      return true
    }
    let discarded = 0
    const progress = {
      repair: { by: 'anna', at: iso(NOW), from: 'page', reason: 'gone' },
      signal: abort.signal,
      sweeping: () => {},
      handled: () => void discarded++
    }
    const options = { deadLetters, sweeps: new SweepQueue(), discardEvent, clock: () => NOW, concurrency: 4 }
    t.notOk(await discardEvents(lanes, progress as never, options))
    t.equal(marked.length, 10)
    t.equal(discarded, 10)
    t.equal(deadLetters.messages.length, 15)
  }
)
