import t from 'tap'
import type { ActivityEventDetail, AttemptRecord } from '../../../../app/activity/activity-store.ts'
import { timeline } from '../../../../app/activity/pages/timeline.ts'
import { activityEvent, iso, NOW, succeeded } from '../../../support/activity-events.ts'

/** Times are milliseconds since the event was received. */
const steps = (state: Partial<ActivityEventDetail>, now = 10_000) => {
  const event = { ...activityEvent('upload'), occurredAt: iso(NOW - 1500), receivedAt: iso(NOW), ...state }
  return timeline(event, NOW + now).map(({ label, start, end, isOpen, detail }) => [
    label,
    start - NOW,
    end - NOW,
    ...(detail ? [detail] : []),
    ...(isOpen ? ['open'] : [])
  ])
}

const at = (milliseconds: number) => iso(NOW + milliseconds)

t.test('the steps go from the change to the last processor', async (t) => {
  const history: AttemptRecord[] = [
    {
      id: '1',
      startedAt: at(40),
      endedAt: at(400),
      processors: {
        tag: { outcome: 'succeeded', milliseconds: 100 },
        notify: { outcome: 'failed', milliseconds: 200, code: 'X' }
      }
    },
    {
      id: '2',
      startedAt: at(5000),
      endedAt: at(5100),
      processors: { notify: { outcome: 'succeeded', milliseconds: 90 } }
    }
  ]
  t.strictSame(steps({ attempts: 2, storedAt: at(20), finishedAt: at(5100), history }), [
    ['Delivered by Cloudinary', -1500, 0],
    ['Stored in the queue', 0, 20],
    ['Waited in the queue', 20, 40],
    ['Attempt 1', 40, 400],
    ['tag', 40, 140, 'succeeded'],
    ['notify', 140, 340, 'X'],
    ['Waited for the next attempt', 400, 5000],
    ['Attempt 2', 5000, 5100],
    ['notify', 5000, 5090, 'succeeded']
  ])
})

t.test('names the first step after the source of the event', async (t) => {
  t.equal(steps({ source: 'reconcile' })[0]?.[0], 'Found by reconcile')
  t.equal(steps({ source: 'poll' })[0]?.[0], 'Waited in the poll channel')
  t.notMatch(steps({ occurredAt: at(5) }), [['Delivered by Cloudinary']], 'a clock that is ahead')
})

t.test('a running attempt is open', async (t) => {
  const history = [
    { id: '1', startedAt: at(40), processors: { tag: { outcome: 'started' }, odd: { outcome: 'odd' } } }
  ]
  t.strictSame(steps({ status: 'processing', history }).slice(2), [
    ['Attempt 1', 40, 10_000, 'open'],
    ['tag', 40, 10_000, 'started', 'open'],
    ['odd', 10_000, 10_000, 'odd', 'open']
  ])
})

t.test('a waiting event shows the duration of the wait', async (t) => {
  t.strictSame(steps({ status: 'processing', attempts: 0 }).slice(1), [
    ['Waits in the queue', 0, 10_000, 'open']
  ])
  const history = [{ id: '1', startedAt: at(0), endedAt: at(400), processors: {} }]
  t.strictSame(steps({ status: 'retrying', history }).at(-1), [
    'Waits for the next attempt',
    400,
    10_000,
    'open'
  ])
  t.strictSame(steps({ status: 'ignored', attempts: 0 }), [['Delivered by Cloudinary', -1500, 0]])
})

t.test('attempts that are no longer stored are counted', async (t) => {
  const history = [{ id: '21', startedAt: at(9000), endedAt: at(9100), processors: {} }]
  t.strictSame(steps({ attempts: 21, history, finishedAt: at(9100) }).slice(1), [
    ['Earlier attempts (no longer kept)', 0, 9000],
    ['Attempt 21', 9000, 9100]
  ])
})

t.test('without a history, the last attempt is derived', async (t) => {
  const processors = { tag: succeeded(NOW, 70) }
  t.strictSame(steps({ attempts: 3, processors, startedAt: at(10), finishedAt: at(90) }).slice(1), [
    ['Earlier attempts (no longer kept)', 0, 10],
    ['Attempt 3', 10, 90],
    ['tag', 10, 80, 'succeeded']
  ])
  t.strictSame(steps({ attempts: 1, startedAt: at(10) }).at(-1), ['Attempt 1', 10, 10_000, 'open'])
})

t.test('an attempt whose worker ended is as long as the event', async (t) => {
  const history = [
    { id: '1', startedAt: at(0), processors: {} },
    { id: '2', startedAt: at(100), endedAt: at(300), processors: {} }
  ]
  t.strictSame(steps({ attempts: 2, history, finishedAt: at(300) }).slice(1), [
    ['Attempt 1', 0, 300],
    ['Attempt 2', 100, 300]
  ])
})

t.test('shows who replayed the event, and the attempts of the replay', async (t) => {
  const attempt = (id: string, start: number, run?: string): AttemptRecord => ({
    ...{ id, startedAt: at(start), endedAt: at(start + 10), processors: {} },
    ...(run && { run, source: 'replay' })
  })
  const history = [
    attempt('1', 0),
    attempt('2', 1000, 'r1'),
    attempt('3', 2000, 'r1'),
    attempt('4', 3000, 'r2')
  ]
  const replays = [{ run: 'r1', kind: 'redrive', at: at(900), by: 'anna' } as const]
  t.strictSame(steps({ attempts: 1, finishedAt: at(3010), history, replays }).slice(1), [
    ['Attempt 1', 0, 10],
    ['Until it was replayed', 10, 900, 'by anna'],
    ['Waited in the queue', 900, 1000],
    ['Attempt 2', 1000, 1010, 'replay'],
    ['Waited for the next attempt', 1010, 2000],
    ['Attempt 3', 2000, 2010, 'replay'],
    ['Waited in the queue', 2010, 3000],
    ['Attempt 4', 3000, 3010, 'replay']
  ])
  const early = [{ run: 'r1', kind: 'redrive', at: at(2000) } as const]
  const [, , until] = steps({
    attempts: 1,
    finishedAt: at(1010),
    history: history.slice(0, 2),
    replays: early
  })
  t.strictSame(until, ['Until it was replayed', 10, 1000, 'by unknown'], 'a clock that is ahead')
})
