import fc from 'fast-check'
import t from 'tap'
import {
  eventRow,
  nextRetry,
  processorChips,
  statusBadge,
  who
} from '../../../../app/activity/pages/event-row.ts'
import {
  activityEvent,
  failed,
  failingState,
  HOSTILE,
  iso,
  NOW,
  succeeded
} from '../../../support/activity-events.ts'

const event = activityEvent('upload', { publicId: 'shoes/red' })
const retrying = { ...event, ...failingState(event as never, 'retrying') } as typeof event
const row = (...[given, options]: Partial<Parameters<typeof eventRow>>) =>
  eventRow(given ?? event, { now: NOW, ...options }).toString()

t.test('a row links to the event and to the history of its asset', async (t) => {
  t.match(row(), `href="/activity/events/${event.id}"`)
  t.match(row(), 'href="/activity/assets/')
  t.notMatch(row({ ...event, asset: null }), 'href="/activity/assets/')
})

t.test('a row of a form can be selected', async (t) => {
  t.match(row(event, { now: NOW, form: 'selection' }), `name="id" value="${event.id}" form="selection"`)
  t.notMatch(row(), 'checkbox')
})

t.test('the current event is marked, and a remark comes first', async (t) => {
  const text = row(event, { now: NOW, current: event.id, remark: 'waits behind 2' })
  t.match(text, 'aria-current="true"')
  t.match(text, '<div class="meta"><strong>waits behind 2</strong>')
  t.notMatch(row(event, { now: NOW, current: 'other' }), 'aria-current')
})

t.test('a failing event shows its code, its attempts and when it runs again', async (t) => {
  const text = row(retrying)
  t.match(text, 'NOTIFY_REJECTED')
  t.match(text, '3 attempts')
  t.match(text, 'in 3 min')
  t.notMatch(row({ ...retrying, status: 'done' }), '<code class="code">')
})

t.test('an ignored event shows the reason, and a found event its source', async (t) => {
  t.match(
    row({ ...event, status: 'ignored', reason: 'no processor is on upload' }),
    'no processor is on upload'
  )
  t.match(row({ ...event, source: 'reconcile' }), 'via reconcile')
  t.notMatch(row(), 'via')
})

t.test('each processor has a chip with its outcome and its time', async (t) => {
  const text = processorChips({
    processors: {
      tag: succeeded(NOW, 41, 'tag added'),
      quiet: succeeded(NOW, 1),
      notify: failed('dead', NOW, { message: 'see https://hooks.example.com/secret' }),
      slow: { outcome: 'started', at: iso(NOW), attempts: 1, waits: 0 }
    }
  }).toString()
  t.match(text, 'class="chip succeeded" title="tag: succeeded · tag added"')
  t.match(text, '<span class="ms">41 ms</span>')
  t.match(text, 'title="notify: dead · CLOUDINARY_UNAVAILABLE: see https://hooks.example.com/…"')
  t.match(text, 'class="chip started" title="slow: started"')
  t.equal(processorChips({ processors: {} }).toString(), '')
})

t.test('the next retry is the earliest of the processors that failed', async (t) => {
  const processors = {
    a: failed('failed', NOW, { notBefore: NOW + 2 }),
    b: failed('failed', NOW, { notBefore: NOW + 1 }),
    c: succeeded(NOW, 1)
  }
  t.equal(nextRetry({ status: 'retrying', processors }), iso(NOW + 1))
  t.equal(nextRetry({ status: 'dead', processors }), undefined)
})

t.test('shows the author of the change', async (t) => {
  const text = (origin: { source: string | null; id: string | null; own?: boolean }) =>
    who({ origin: { own: false, ...origin } }).toString()
  t.equal(text({ source: 'api', id: 'k', own: true }), 'by this listener')
  t.equal(text({ source: 'api', id: 'k' }), 'by key <bdi>k</bdi>')
  t.equal(text({ source: 'ui', id: 'u' }), 'by user <bdi>u</bdi>')
  t.equal(text({ source: 'ui', id: null }), 'by ui')
  t.equal(text({ source: null, id: null }), 'by someone unknown')
  t.match(statusBadge({ status: 'dead' }).toString(), 'class="status dead"')
})

t.test('escapes every value of an event', async () => {
  const value = fc.oneof(fc.string(), fc.constant(HOSTILE), fc.constant('"><script>'))
  fc.assert(
    fc.property(value, value, value, (publicId, text, name) => {
      const hostile = {
        ...retrying,
        id: text,
        group: text,
        environment: text,
        asset: { publicId, resourceType: text },
        origin: { source: 'api', id: text, own: false },
        processors: { [name]: failed('failed', NOW, { code: text, message: text }) },
        lastError: { processor: name, code: text, message: text },
        change: { added: [text], removed: [name] }
      }
      const tags = [...row(hostile, { now: NOW, form: 'f', remark: text }).matchAll(/<\/?([^\s>]*)/g)].map(
        ([, tag]) => tag!
      )
      return tags.every((tag) =>
        ['li', 'label', 'input', 'span', 'img', 'div', 'a', 'bdi', 'strong', 'code', 'time', 'ul'].includes(
          tag
        )
      )
    })
  )
})
