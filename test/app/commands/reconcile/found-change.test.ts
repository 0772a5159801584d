import t from 'tap'
import { changeOf, eventOf } from '../../../../app/commands/reconcile/found-change.ts'
import { CONTEXT, found, TAGS, UPLOAD } from './fixtures.ts'

const changedAt = (side: typeof TAGS, about = {}) => {
  const change = changeOf(side, found(about))
  return change && new Date(change.changedAt).toISOString().slice(11, 19)
}

t.test('an asset has a change of each side that changed', async (t) => {
  t.equal(changedAt(UPLOAD), '12:00:00')
  t.equal(changedAt(TAGS), '12:01:00')
  t.equal(changedAt(TAGS, { last_updated: undefined }), undefined)
})

t.test('what was never uploaded is no upload', async (t) => {
  for (const type of ['private', 'authenticated']) t.equal(changedAt(UPLOAD, { type }), '12:00:00')
  t.equal(changedAt(UPLOAD, { type: 'fetch' }), undefined)
})

t.test('a change that is part of the upload is none', async (t) => {
  const tagged = (tags_updated_at: string, about = {}) => ({ last_updated: { tags_updated_at }, ...about })
  t.equal(changedAt(TAGS, tagged('2026-06-01T12:00:02+00:00')), undefined)
  t.equal(changedAt(TAGS, tagged('2026-06-01T12:00:03+00:00')), '12:00:03')
  t.equal(changedAt(TAGS, tagged('2026-06-01T11:00:00Z', { uploaded_at: undefined })), '11:00:00')
})

t.test('its event is of its side; an upload that is not identified has none', async (t) => {
  t.match(eventOf(changeOf(UPLOAD, found())!, false, CONTEXT), { type: 'upload' })
  t.match(eventOf(changeOf(TAGS, found())!, true, CONTEXT), {
    type: 'resource_tags_changed',
    origin: { own: true }
  })
  const { version: _, ...unknown } = found()
  t.equal(eventOf(changeOf(UPLOAD, unknown)!, false, CONTEXT), undefined)
})
