import t from 'tap'
import { failureGroups } from '../../../../app/activity/pages/failure-groups.ts'
import { activityEvent, failed, iso, NOW, succeeded } from '../../../support/activity-events.ts'

const event = (status: 'dead' | 'retrying', at: number, code = 'A', processor = 'notify') =>
  activityEvent(
    'upload',
    {},
    {
      id: `${code}${at}`,
      status,
      processors: {
        fine: succeeded(at, 1),
        [processor]: failed(status === 'dead' ? 'dead' : 'failed', at, { code, message: `at ${at - NOW}` })
      }
    }
  )

t.test('groups failures by processor and code, newest first', async (t) => {
  const groups = failureGroups(
    [
      event('dead', NOW - 1000),
      event('retrying', NOW - 24_000),
      event('dead', NOW - 12_000, 'B'),
      event('dead', NOW - 500, 'A', 'forward')
    ],
    NOW
  )
  t.match(groups, [
    { processor: 'forward', code: 'A', dead: 1, retrying: 0 },
    {
      processor: 'notify',
      code: 'A',
      dead: 1,
      retrying: 1,
      firstSeen: iso(NOW - 24_000),
      lastSeen: iso(NOW - 1000),
      message: 'at -1000'
    },
    { processor: 'notify', code: 'B', dead: 1, retrying: 0 }
  ])
  t.equal(groups[1]?.newest.id, `A${NOW - 1000}`)
})

t.test('each group has its failures over the whole time span', async (t) => {
  const [group] = failureGroups(
    [event('dead', NOW - 24_000), event('dead', NOW - 500), event('dead', NOW), event('dead', NOW + 99_000)],
    NOW
  )
  t.equal(group?.overTime.length, 24)
  t.equal(group?.overTime[0], 1)
  t.equal(group?.overTime[23], 3)
})

t.test('an event without a failed processor counts with its last error', async (t) => {
  const lastError = { processor: 'notify', code: 'X', message: 'm' }
  const bare = activityEvent('upload', {}, { status: 'dead', processors: {}, lastError })
  const times = [{ finishedAt: iso(NOW - 1) }, { startedAt: iso(NOW - 2) }, {}]
  for (const time of times) {
    const [group] = failureGroups([{ ...bare, ...time }], NOW)
    t.match(group, { processor: 'notify', code: 'X', lastSeen: Object.values(time)[0] ?? bare.receivedAt })
  }
  const { lastError: _, ...nothing } = bare
  t.strictSame(failureGroups([nothing], NOW), [])
})
