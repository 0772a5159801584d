import t from 'tap'
import { Availability } from '../../../app/web/availability.ts'

/** One event, or none, per second. */
function after(events: Record<number, 'refused' | 'served'>, seconds: number): boolean {
  let now = 0
  const availability = new Availability(() => now * 1000)
  for (; now < seconds; now++) {
    const event = events[now]
    if (event) availability[event]()
  }
  return availability.isStuck
}

t.test('is stuck after refusing all requests for a minute', async (t) => {
  t.notOk(after({}, 600), 'nobody has sent anything')
  t.notOk(after({ 0: 'refused', 30: 'refused' }, 90), 'less than a minute')
  t.ok(after({ 0: 'refused', 30: 'refused', 60: 'refused' }, 61))
  t.notOk(after({ 0: 'refused', 30: 'refused', 31: 'served', 60: 'refused' }, 61), 'not everything')
  t.ok(after({ 0: 'refused', 20: 'served', 21: 'refused', 60: 'refused', 81: 'refused' }, 82), 'since then')
  t.notOk(after({ 0: 'refused', 61: 'refused' }, 62), 'nobody has sent anything for a minute')
  t.notOk(after({ 0: 'refused', 60: 'refused', 61: 'served' }, 62), 'it works again')
  t.notOk(after({ 0: 'refused', 60: 'refused' }, 122), 'the last refusal is a minute ago')
})
