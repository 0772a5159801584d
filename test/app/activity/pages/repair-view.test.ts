import t from 'tap'
import { repairList, repairProgress, repairTitle } from '../../../../app/activity/pages/repair-view.ts'
import { HOSTILE, iso, NOW, repairOf } from '../../../support/activity-events.ts'

const shown = (change: Parameters<typeof repairOf>[0]) =>
  String(repairProgress(repairOf(change), NOW, '/x/r1'))

t.test('shows the progress, and the events that were not sent', (t) => {
  const failures = [{ id: HOSTILE, code: 'QUEUE_UNAVAILABLE', message: HOSTILE }]
  const body = shown({ failed: 1, failures })
  t.match(body, 'data-refresh="1000"')
  t.match(body, '<progress max="5000" value="1201"')
  t.match(
    body,
    '<strong>1,200</strong> of 5,000 events sent to the queue, <strong class="bad">1</strong> failed'
  )
  t.match(body, 'action="/x/r1/abort"')
  t.match(body, 'all processors')
  t.notMatch(body, /<script>|<img src=x/)
  t.end()
})

t.test('shows why and by whom it ended', (t) => {
  const error = { code: 'QUEUE_UNAVAILABLE', message: 'no answer' }
  t.match(shown({ state: 'failed', error }), '<code>QUEUE_UNAVAILABLE</code> <bdi>no answer</bdi>')
  t.match(shown({ abortedBy: 'bob' }), 'bob has asked it to stop')
  const aborted = shown({ state: 'aborted', abortedBy: 'bob', endedAt: iso(NOW), failedOnly: true })
  t.match(aborted, 'Stopped by bob')
  t.notMatch(aborted, /data-refresh|\/abort/)
  t.match(shown({ state: 'lost' }), 'all processors also run again for the 1,200')
  t.match(shown({ state: 'lost', failedOnly: true }), 'none runs twice')
  t.match(shown({ state: 'lost', kind: 'discard' }), 'none runs twice')
  t.equal(repairTitle({ kind: 'discard', state: 'lost' }), 'Discard interrupted')
  t.match(shown({ state: 'done', total: 0, sent: 0 }), '<progress max="1" value="1"')
  t.end()
})

t.test('shows a discard and its dead letters', (t) => {
  const discard = { kind: 'discard', reason: HOSTILE, discarded: 7, sent: 0, total: 9 } as const
  const running = shown({ ...discard, deadLetters: { queued: 40, checked: 30, deleted: 8 } })
  t.match(running, 'Dead letters: 8 deleted, 30 of about 40 looked at')
  t.match(running, '<strong>7</strong> of 9 events discarded')
  t.notMatch(running, '<script>')
  const done = { state: 'done', deadLetters: { queued: 40, checked: 41, deleted: 8 } } as const
  t.match(shown({ ...discard, ...done }), 'Dead letters: 8 deleted, 41 of 41 looked at')
  t.match(shown({ ...discard, failures: [{ id: 'a', code: 'B', message: 'c' }] }), 'Not discarded')
  t.end()
})

t.test('lists repairs', (t) => {
  const linkTo = (id: string) => `/x/${id}`
  const repairs = [
    repairOf({ id: 'r1', failed: 2 }),
    repairOf({
      ...{ id: 'r2', kind: 'discard', state: 'done', reason: 'gone', sent: 0, discarded: 3 },
      deadLetters: { queued: 3, checked: 3, deleted: 3 }
    })
  ]
  const body = String(repairList(repairs, NOW, linkTo))
  t.match(body, '<a href="/x/r1">Replay running</a>')
  t.match(body, '<a href="/x/r2">Discard done</a>')
  t.match(body, 'gone')
  t.match(String(repairList([], NOW, linkTo)), 'No repairs yet')
  t.end()
})
