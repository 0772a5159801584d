import t from 'tap'
import { FilterSchema, parseListQuery, VIEWS } from '../../../../app/activity/event-filter.ts'
import {
  activeFilters,
  filterForm,
  shownFilters,
  viewLinks
} from '../../../../app/activity/pages/filter-form.ts'
import { HOSTILE } from '../../../support/activity-events.ts'

t.test('the form has every filter of the list', async (t) => {
  const names = [
    ...filterForm({})
      .toString()
      .matchAll(/<(?:input|select) id="f-([a-z]+)" name="\1"/g)
  ].map(([, name]) => name!)
  const known = Object.keys(FilterSchema.shape).filter((name) => name !== 'view')
  t.strictSame(names.toSorted(), known.toSorted())
})

t.test('its controls have the values of the query', async (t) => {
  const text = filterForm({
    prefix: 'shoes/',
    status: 'dead',
    attempts: '3',
    view: 'failed',
    window: '6h'
  }).toString()
  t.match(text, 'name="prefix" type="text" value="shoes/"')
  t.match(text, '<option value="dead" selected>')
  t.match(text, 'name="attempts" type="number" value="3"')
  t.match(text, '<input type="hidden" name="view" value="failed">')
  t.match(text, '<input type="hidden" name="window" value="6h">')
})

t.test('the section of more filters is open if one is set', async (t) => {
  t.match(filterForm({ code: 'X' }).toString(), '<details open>')
  t.match(filterForm({ prefix: 'x' }).toString(), '<details><summary>')
})

t.test('several values from a URL are kept', async (t) => {
  t.match(
    filterForm({ status: ['dead', 'retrying'] }).toString(),
    '<option value="dead,retrying" selected>dead or retrying</option>'
  )
})

t.test('valid times are shown in UTC', async (t) => {
  const shown = (from: string) =>
    /name="from" type="datetime-local" value="([^"]*)"/.exec(filterForm({ from }).toString())?.[1]
  t.equal(shown('2026-06-01T12:00:00+02:00'), '2026-06-01T10:00')
  t.equal(shown('2026-06-01T12:00:30'), '2026-06-01T12:00:30')
  t.equal(shown('2026-06-01'), '2026-06-01T00:00')
  t.equal(shown('soon'), '')
  t.equal(
    parseListQuery({ from: '2026-06-01T12:00' }).filter.from,
    '2026-06-01T12:00:00.000Z',
    'as the form sends it'
  )
})

t.test('every view has a link, and the current one is marked', async (t) => {
  const text = viewLinks({ view: 'dead', prefix: 'a' }).toString()
  for (const view of VIEWS) t.match(text, `view&#61;${view}`)
  t.match(text, 'href="/activity?view&#61;dead&#38;prefix&#61;a" aria-current="page">Dead')
  t.match(viewLinks({}).toString(), 'href="/activity" aria-current="page">All')
})

t.test('each active filter can be removed', async (t) => {
  const text = activeFilters({ prefix: 'shoes/', status: 'dead', view: 'failed', cursor: 'c' }).toString()
  t.match(
    text,
    'href="/activity?status&#61;dead&#38;view&#61;failed" aria-label="Remove filter: Public id starts with"'
  )
  t.match(text, 'href="/activity?view&#61;failed">Clear all')
  t.equal(activeFilters({ view: 'failed' }).toString(), '')
})

t.test('filters can be shown without a way to remove them', async (t) => {
  const text = shownFilters({ status: 'dead' }).toString()
  t.match(text, 'Status: <bdi>dead</bdi></li></ul>')
})

t.test('values are escaped', async (t) => {
  const query = Object.fromEntries(Object.keys(FilterSchema.shape).map((name) => [name, HOSTILE]))
  for (const render of [filterForm, activeFilters, shownFilters, viewLinks]) {
    const text = render({ ...query, view: HOSTILE, window: HOSTILE }).toString()
    t.notMatch(text, /<script|<img/)
  }
})
