import t from 'tap'
import { waterfall } from '../../../../app/activity/pages/waterfall.ts'
import {
  activityEvent,
  doneState,
  failingState,
  HOSTILE,
  iso,
  NOW
} from '../../../support/activity-events.ts'

const event = activityEvent('upload')
const render = (state: object) => waterfall({ ...event, ...state }, NOW).toString()

t.test('each step has a bar, a start time and a duration', async (t) => {
  const text = render(doneState(event as never, { tag: 118 }))
  t.match(text, '<bdi>Attempt 1</bdi>')
  t.match(text, /<bdi>tag<\/bdi> <span class="detail succeeded">succeeded<\/span>.*\+1\.44 s<\/td><td>118 ms/)
  t.match(text, /<tfoot>.*1\.56 s/)
})

t.test('long waits are drawn shorter, with a note', async (t) => {
  const text = render(failingState(event as never, 'dead'))
  t.match(text, 'not to scale')
  t.match(text, '<rect class="pause"')
  t.match(text, '<rect class="dead"')
})

t.test('everything is to scale without a finished attempt', async (t) => {
  const text = render({ status: 'processing', attempts: 0 })
  t.notMatch(text, 'pause')
  t.match(text, 'so far')
})

t.test('an event without recorded steps has no drawing', async (t) => {
  const text = render({ status: 'ignored', attempts: 0, occurredAt: event.receivedAt })
  t.match(text, 'Nothing has been recorded')
})

t.test('bars stay inside the drawing, and names are escaped', async (t) => {
  const started = Date.parse(event.receivedAt)
  const history = [
    {
      id: '1',
      startedAt: iso(started),
      endedAt: iso(started + 100_000),
      processors: { [HOSTILE]: { outcome: 'failed', milliseconds: 0, code: HOSTILE } }
    },
    {
      id: '2',
      startedAt: iso(started + 200_000),
      endedAt: iso(started + 200_001),
      processors: { a: { outcome: 'dead', milliseconds: 0 } }
    }
  ]
  const text = render({ history, attempts: 2, finishedAt: iso(started + 200_001) })
  for (const [, x, width] of text.matchAll(/x="([\d.]+)" y="4" width="([\d.]+)"/g)) {
    t.ok(Number(x) + Number(width) <= 1000.1 && Number(width) >= 5)
  }
  t.notMatch(text, '<script>')
})
