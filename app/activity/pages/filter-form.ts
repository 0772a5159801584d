import { EVENT_TYPES } from '../../ingest/event.ts'
import { OUTCOMES, SOURCES, STATUSES } from '../event-filter.ts'
import { type Content, type Html, html } from './html.ts'
import { listLink, parameterValue, type Query } from './page-link.ts'

/** A filter in the form. */
interface Field {
  name: string
  label: string
  hint?: string
  options?: readonly string[]
  type?: 'text' | 'number' | 'datetime-local'
}

const FIRST: readonly Field[] = [
  { name: 'prefix', label: 'Public id starts with', hint: 'shoes/' },
  { name: 'status', label: 'Status', options: STATUSES },
  { name: 'type', label: 'Type', options: EVENT_TYPES },
  { name: 'processor', label: 'Processor', hint: 'notify' },
  { name: 'text', label: 'Text in the payload', hint: 'searches back in time' }
]

const MORE: readonly Field[] = [
  { name: 'outcome', label: 'Outcome of a processor', options: OUTCOMES },
  { name: 'code', label: 'Error code', hint: 'CLOUDINARY_REJECTED' },
  { name: 'environment', label: 'Environment', hint: 'cloud name' },
  { name: 'folder', label: 'Folder', hint: 'shoes/summer' },
  { name: 'tag', label: 'Tag', hint: 'sale' },
  { name: 'asset', label: 'Asset id', hint: '32 hexadecimal digits' },
  { name: 'who', label: 'Who', hint: 'own, other, key or user id' },
  { name: 'source', label: 'Source', options: SOURCES },
  { name: 'from', label: 'Received from (UTC)', type: 'datetime-local' },
  { name: 'until', label: 'Received until (UTC)', type: 'datetime-local' },
  { name: 'trace', label: 'Trace id', hint: '1-67891233-…' },
  { name: 'attempts', label: 'Attempts at least', type: 'number' },
  { name: 'duration', label: 'Processor ran at least (ms)', type: 'number' }
]

const VIEWS: Readonly<Record<string, string>> = {
  '': 'All',
  failed: 'Failed',
  retrying: 'Retrying',
  dead: 'Dead',
  discarded: 'Discarded',
  ignored: 'Ignored',
  slowest: 'Slowest'
}

/** Parameters that the form keeps but does not show. */
const KEPT = ['view', 'window']

/** Renders links to the ready-made filters. */
export const viewLinks = (query: Query): Html =>
  html`<nav class="views" aria-label="Views">${Object.entries(VIEWS).map(
    ([view, title]) =>
      html`<a href="${listLink(query, { view })}"${parameterValue(query, 'view') === view && html` aria-current="page"`}>${title}</a>`
  )}</nav>`

/** Renders the form of all filters, filled from the query. */
export const filterForm = (query: Query): Html =>
  html`<form class="filters" method="get" action="/activity" role="search" aria-label="Filter events">
<div class="fields">${FIRST.map((field) => control(field, query))}<div class="go"><button class="primary" type="submit">Filter</button></div></div>
<details${MORE.some(({ name }) => parameterValue(query, name)) && html` open`}><summary>More filters</summary>
<div class="fields">${MORE.map((field) => control(field, query))}</div></details>
${KEPT.filter((name) => parameterValue(query, name)).map(
  (name) => html`<input type="hidden" name="${name}" value="${parameterValue(query, name)}">`
)}</form>`

/** Renders the active filters, each with a link that removes it. */
export const activeFilters = (query: Query): Html =>
  filterList(
    query,
    ({ name, label }) =>
      html` <a href="${listLink(query, { [name]: undefined })}" aria-label="Remove filter: ${label}">×</a>`,
    html`<li class="all"><a href="${listLink({ view: query.view, window: query.window })}">Clear all</a></li>`
  )

/** Renders the active filters, without links. */
export const shownFilters = (query: Query): Html => filterList(query, () => undefined)

function filterList(query: Query, action: (field: Field) => Content, last?: Content): Html {
  const active = [...FIRST, ...MORE].filter(({ name }) => parameterValue(query, name))
  if (active.length === 0) return html``
  return html`<ul class="active" aria-label="Active filters">${active.map(
    (field) => html`<li>${field.label}: <bdi>${parameterValue(query, field.name)}</bdi>${action(field)}</li>`
  )}${last}</ul>`
}

function control({ name, label, hint, options, type = 'text' }: Field, query: Query): Html {
  const value = parameterValue(query, name)
  const id = `f-${name}`
  if (options) {
    // several values: possible in a URL, but not in the form
    const all = value === '' || options.includes(value) ? options : [value, ...options]
    return html`<div class="field"><label for="${id}">${label}</label><select id="${id}" name="${name}"><option value="">any</option>${all.map(
      (option) =>
        html`<option value="${option}"${option === value && html` selected`}>${option.replaceAll(',', ' or ')}</option>`
    )}</select></div>`
  }
  const shown = type === 'datetime-local' ? localTime(value) : value
  return html`<div class="field"><label for="${id}">${label}</label><input id="${id}" name="${name}" type="${type}" value="${shown}"${
    hint && html` placeholder="${hint}"`
  }${type === 'number' && html` min="1" inputmode="numeric"`} autocomplete="off" spellcheck="false"></div>`
}

/** Returns a time in the format of an input of type `datetime-local`, in UTC. */
function localTime(value: string): string {
  const at = Date.parse(/T.*(Z|[+-]\d\d:\d\d)$/.test(value) || value.length <= 10 ? value : `${value}Z`)
  return Number.isNaN(at) ? '' : new Date(at).toISOString().slice(0, 19).replace(/:00$/, '')
}
