import t from 'tap'
import { handledEvents, type Repair, withStaleness } from '../../../app/activity/repair.ts'
import { iso, NOW } from '../../support/activity.ts'

const REPAIR: Repair = {
  ...{ id: 'r1', kind: 'replay', state: 'running', by: 'anna', from: 'page', at: iso(NOW) },
  ...{ updatedAt: iso(NOW), total: 9, sent: 3, discarded: 0, failed: 1, failures: [] }
}

t.test('a running repair without progress for a minute is lost', (t) => {
  t.equal(withStaleness(REPAIR, NOW + 60_000).state, 'running')
  t.equal(withStaleness(REPAIR, NOW + 60_001).state, 'lost')
  t.equal(withStaleness({ ...REPAIR, state: 'done' }, NOW + 60_001).state, 'done')
  t.equal(handledEvents(REPAIR), 4)
  t.end()
})
