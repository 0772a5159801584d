import { gzipSync } from 'node:zlib'
import t from 'tap'
import { type StoredEvent, toDetail, toListed, withoutDetail } from '../../../app/journal/activity-items.ts'
import { sampleEvent } from '../../support/events.ts'

const event = sampleEvent('upload')

const item = (change: Partial<StoredEvent> = {}): StoredEvent => {
  const { group, payload: _, run: __, notificationType: ___, signedAt: ____, ...described } = event
  return {
    ...described,
    historyKey: group,
    status: 'done',
    attempts: 2,
    startedAt: '2026-06-01T12:00:01.000Z',
    finishedAt: '2026-06-01T12:00:02.000Z',
    payload: gzipSync(JSON.stringify(event)),
    ...change
  }
}

t.test('shows what the table has of an event', async (t) => {
  const lastError = { processor: 'tag', code: 'X', message: 'no' }
  const detail = toDetail(item({ reason: 'why', lastError, traceId: 'Root=1', source: 'web' }))
  t.match(detail, {
    id: event.id,
    group: event.group,
    source: 'web',
    reason: 'why',
    lastError,
    traceId: 'Root=1'
  })
  t.strictSame(detail.payload, event.payload)
  t.strictSame(detail.history, [])
  const row = withoutDetail(detail)
  t.notOk('payload' in row || 'history' in row)
  t.equal(row.group, event.group)
})

t.test('shows the last way in', async (t) => {
  t.equal(toDetail(item()).source, undefined)
  t.equal(toDetail(item({ source: 'poll' })).source, 'poll')
  t.equal(toDetail(item({ reconciled: true })).source, 'reconcile')
  t.equal(toDetail(item({ source: 'web', run: 'run-1' })).source, 'replay')
})

t.test('shows replays, their attempts, and a discard', async (t) => {
  const at = '2026-06-01T12:00:01.000Z'
  const replays = [{ run: 'r1', kind: 'redrive', at, by: 'anna', from: 'page' }] as const
  const discarded = { by: 'anna', at, from: 'page', reason: 'gone' } as const
  const stored = item({
    ...{ run: 'r1', replays, discarded, attemptId: 'b', attemptStartedAt: at },
    history: [{ id: 'a', startedAt: at, processors: {} }]
  })
  const detail = toDetail(stored)
  t.match(detail, { replays, discarded })
  t.strictSame(
    detail.history.map(({ id, run, source }) => [id, run, source]),
    [
      ['a', undefined, undefined],
      ['b', 'r1', 'replay']
    ]
  )
  t.notOk('replays' in withoutDetail(detail))
  t.match(toListed(stored), { discarded })
})

t.test('an event of an earlier release has the group of its payload', async (t) => {
  const { historyKey: _, ...old } = item()
  t.equal(toDetail(old).group, event.group)
})

t.test('an event may lack its payload, or have one that is too large to show', async (t) => {
  const { payload: _, ...omitted } = item()
  t.equal(toDetail(omitted).payload, undefined)
  const large = gzipSync(JSON.stringify({ ...event, payload: { blob: 'x'.repeat(17 * 1024 * 1024) } }))
  t.equal(toDetail(item({ payload: large })).payload, undefined)
  t.throws(() => toDetail(item({ payload: Buffer.from('nonsense') })))
})

t.test('shows what a change of tags did', async (t) => {
  const changed = { ...event, type: 'resource_tags_changed', payload: { added: ['sale'] } }
  const stored = item({ type: 'resource_tags_changed', payload: gzipSync(JSON.stringify(changed)) })
  t.strictSame(toDetail(stored).change, { added: ['sale'] })
  const { historyKey: _, payload: __, ...bare } = stored
  const tag = { outcome: 'started', at: event.receivedAt, attempts: 1, waits: 0 } as const
  const detail = toDetail({ ...bare, processors: { tag } })
  t.notOk('group' in detail)
  t.strictSame(detail.processors, { tag })
})

t.test('an ignored event has no attempts', async (t) => {
  const { attempts: _, asset: __, startedAt: ___, finishedAt: ____, ...ignored } = item({ status: 'ignored' })
  t.match(toListed(ignored), { status: 'ignored', attempts: 0, processors: {} })
  t.notOk('asset' in toListed(ignored))
})
