import t from 'tap'
import { queuePositions } from '../../../../app/activity/pages/queue-positions.ts'
import type { Status } from '../../../../app/journal/journal-entry.ts'
import { activityEvent } from '../../../support/activity-events.ts'

const positions = (...statuses: Status[]) =>
  Object.fromEntries(
    queuePositions(statuses.map((status, index) => activityEvent('upload', {}, { id: `e${index}`, status })))
  )

t.test('unfinished events wait behind the older ones of their asset', async (t) => {
  t.strictSame(positions('processing', 'processing', 'done', 'retrying', 'dead'), {
    e3: 'holds up 2 newer events',
    e1: 'waits behind an older event',
    e0: 'waits behind 2 older events'
  })
  t.strictSame(positions('processing', 'retrying'), {
    e1: 'holds up 1 newer event',
    e0: 'waits behind an older event'
  })
})

t.test('no event waits if at most one is unfinished', async (t) => {
  t.strictSame(positions('retrying', 'done', 'ignored', 'dead'), {})
  t.strictSame(positions(), {})
})
