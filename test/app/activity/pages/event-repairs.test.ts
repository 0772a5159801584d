import t from 'tap'
import { discardNotice, eventRepairs } from '../../../../app/activity/pages/event-repairs.ts'
import { activityEvent, HOSTILE, iso, NOW } from '../../../support/activity-events.ts'

const discarded = { by: HOSTILE, at: iso(NOW - 500), from: 'page', reason: HOSTILE } as const

t.test('lists replays and discards, newest first', (t) => {
  const event = activityEvent(
    'upload',
    {},
    {
      replays: [
        { run: 'r1', kind: 'replay', at: iso(NOW - 1000), by: 'anna', from: 'command' },
        { run: 'r2', kind: 'redrive', at: iso(NOW - 100) }
      ],
      discarded
    }
  )
  const body = String(eventRepairs(event, NOW))
  t.ok(body.indexOf('r2') < body.indexOf('discarded') && body.indexOf('discarded') < body.indexOf('r1'))
  t.match(body, 'href="/activity/repairs/r2"')
  t.notMatch(body, 'href="/activity/repairs/r1"', 'a command keeps no progress')
  t.match(body, 'unknown')
  t.notMatch(body, '<script>')
  t.equal(eventRepairs(activityEvent('upload'), NOW), undefined)
  t.end()
})

t.test('says why an event was discarded, until it is replayed', (t) => {
  const state = { status: 'discarded', discarded } as const
  const body = String(discardNotice(activityEvent('upload', {}, state), NOW))
  t.match(body, 'Discarded by')
  t.notMatch(body, '<script>')
  t.equal(discardNotice(activityEvent('upload', {}, { ...state, status: 'done' }), NOW), undefined)
  t.end()
})
