import t from 'tap'
import {
  ACTIVITY_ID_PREFIX,
  minutesPartition,
  refusedPartition
} from '../../../app/journal/activity-partitions.ts'

t.test('counts are by hour, refused notifications by day', async (t) => {
  t.equal(minutesPartition('2026-06-01T12:34:00.000Z'), 'minutes#2026-06-01T12')
  t.equal(refusedPartition('2026-06-01T12:34:56.789Z'), 'refused#2026-06-01')
})

t.test('no id of a count or sample can be that of an event or state', async (t) => {
  for (const prefix of Object.values(ACTIVITY_ID_PREFIX)) t.match(prefix, /^[a-z]*[g-z][a-z]*#$/)
})
