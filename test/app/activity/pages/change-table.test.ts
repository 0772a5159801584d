import t from 'tap'
import { changeTable } from '../../../../app/activity/pages/change-table.ts'
import { HOSTILE } from '../../../support/activity-events.ts'

t.test('each property has its value before and after', async (t) => {
  const text = changeTable([
    { kind: 'metadata', property: 'cms_id', before: '1', after: '2' },
    { kind: 'tags', property: 'tag', before: '' }
  ]).toString()
  t.match(
    text,
    '<bdi>cms_id</bdi> <span class="muted">metadata</span></th><td><bdi class="removed">1</bdi></td><td><bdi class="added">2</bdi>'
  )
  t.match(
    text,
    '<bdi>tag</bdi></th><td><bdi class="removed">&#34;&#34;</bdi></td><td><span class="muted">–</span>'
  )
})

t.test('values are escaped', async (t) => {
  const text = changeTable([
    { kind: 'context', property: HOSTILE, before: HOSTILE, after: HOSTILE }
  ]).toString()
  t.notMatch(text, /<script|<img/)
})
