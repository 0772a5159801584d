import type { FastifyPluginAsync } from 'fastify'
import type { ActivityEvent, EventPage } from '../activity-store.ts'
import { clientSignal } from '../client-signal.ts'
import { FilterError, filterToQuery, isEmptyFilter, type ListQuery, parseListQuery } from '../event-filter.ts'
import { readEvents } from '../read-events.ts'
import { eventRow } from './event-row.ts'
import { timeTag } from './event-time.ts'
import { activeFilters, filterForm, viewLinks } from './filter-form.ts'
import { type Content, type Html, html } from './html.ts'
import { page } from './layout.ts'
import { isWindow, windowStart } from './minute-buckets.ts'
import { link, listLink, type Query } from './page-link.ts'
import { type PagesOptions, sendPage } from './page-options.ts'
import { summaryCharts } from './summary-charts.ts'

/** Maximum number of ids in a request for rows. */
const MAX_ROWS = 100

/** `GET /activity`: the list of events. `GET /activity/rows`: rows by id, for activity.js. */
export const listRoute: FastifyPluginAsync<PagesOptions> = async (app, { store, clock }) => {
  app.get<{ Querystring: Query }>('/activity', async (request, reply) => {
    const now = clock()
    const signal = clientSignal(reply.raw)
    const { window: chosen, ...query } = request.query
    const window = isWindow(chosen) ? chosen : '1h'
    const [minutes, queue, found] = await Promise.all([
      store.minutes(windowStart(window, now), new Date(now).toISOString(), signal),
      store.queue(signal),
      find(query, (listQuery) => readEvents(store, listQuery, signal))
    ])
    if (found instanceof FilterError) reply.code(400)
    const body = found instanceof FilterError ? filterProblem(found) : eventList(found, request.query, now)
    return sendPage(
      reply,
      page({
        title: 'Events',
        section: 'events',
        main: html`<h1 class="vh">Events</h1>${summaryCharts({ minutes, queue, window, query: request.query, now })}
${viewLinks(request.query)}${filterForm(request.query)}${activeFilters(request.query)}${body}`
      })
    )
  })

  app.get<{ Querystring: Query }>('/activity/rows', async (request, reply) => {
    const ids = [request.query.id ?? []].flat().slice(0, MAX_ROWS)
    const events = await Promise.all(ids.map((id) => store.find(id)))
    const rows = events
      .filter((event) => event !== undefined)
      .toSorted((a, b) => b.receivedAt.localeCompare(a.receivedAt) || b.id.localeCompare(a.id))
    return sendPage(reply, html`${rows.map((event) => eventRow(event, { now: clock(), form: 'selection' }))}`)
  })
}

interface Found extends EventPage {
  query: ListQuery
}

async function find(
  query: Query,
  read: (query: ListQuery) => Promise<EventPage>
): Promise<Found | FilterError> {
  try {
    const listQuery = parseListQuery(query)
    return { ...(await read(listQuery)), query: listQuery }
  } catch (error) {
    if (error instanceof FilterError) return error
    throw error
  }
}

const filterProblem = (error: FilterError): Html =>
  html`<div class="notice bad" role="alert"><p><strong>This filter is not valid.</strong> <bdi>${error.message}</bdi></p><p>Correct the value above, or <a href="/activity">show all events</a>.</p></div>`

function eventList(found: Found, query: Query, now: number): Html {
  const { events, query: listQuery } = found
  const isFirst = listQuery.cursor === undefined
  const filter = filterToQuery(listQuery.filter)
  const mayBeDead = listQuery.filter.status?.includes('dead') === true
  return html`<section class="events" aria-labelledby="events-title"${
    isFirst &&
    listQuery.filter.text === undefined &&
    html` data-stream="${link('/api/activity/stream', filter)}" data-rows="/activity/rows"`
  }>
<div class="bar"><h2 id="events-title" class="vh">${isFirst ? 'Newest events' : 'Older events'}</h2>
<label class="pick all"><input type="checkbox" id="select-all" hidden aria-label="Select all events on this page"></label>
<form id="selection" method="get" action="/activity/replays/new"><button type="submit">Replay selected<span id="selected" hidden></span></button>${mayBeDead && html` <button type="submit" formaction="/activity/discards/new">Discard selected…</button>`}</form>
${events.length > 0 && html`<a class="button" href="${link('/activity/replays/new', isEmptyFilter(listQuery.filter) ? { all: 'yes' } : filter)}">Replay all ${isEmptyFilter(listQuery.filter) ? 'events' : 'that match'}…</a>`}
${mayBeDead && events.length > 0 && html`<a class="button" href="${link('/activity/discards/new', filter)}">Discard all dead that match…</a>`}
<label class="follow" hidden><input type="checkbox" id="follow"> Show new events at once</label>
<span class="grow"></span>${isFirst && events.length > 0 && html`<span class="muted">newest first</span>`}</div>
<div id="fresh" aria-live="polite"></div>
<ol class="rows" id="rows">${events.map((event: ActivityEvent) => eventRow(event, { now, form: 'selection' }))}</ol>
${events.length === 0 && nothing(found, query)}
${pager(found, query, now)}
</section>`
}

function nothing({ query: { filter, cursor }, searchedTo }: Found, query: Query): Content {
  if (searchedTo !== undefined) return html`<p class="empty">Nothing found so far.</p>`
  if (cursor !== undefined) {
    return html`<p class="empty">There are no more events in this direction. <a href="${listLink(query)}">Back to the newest</a></p>`
  }
  if (!isEmptyFilter(filter)) {
    return html`<p class="empty">No event matches. <a href="/activity">Show all events</a></p>`
  }
  return html`<div class="empty"><p><strong>No events yet.</strong></p><p>Send one with <code>npm run send -- upload</code>, or set the notification URL of your product environment to <code>/webhooks/cloudinary</code> of this listener; <code>setup</code> does it, and <code>doctor</code> says what is missing.</p></div>`
}

/** Renders links to the previous and the next page. */
export function pager(
  { older, newer, searchedTo }: Omit<EventPage, 'events'>,
  query: Query,
  now: number,
  linkTo: (query: Query, changes: Record<string, string | undefined>) => string = listLink
): Html {
  if (!older && !newer) return html``
  return html`<nav class="pager" aria-label="Pages of events">${
    newer && html`<a rel="prev" href="${linkTo(query, { cursor: newer, direction: 'newer' })}">← Newer</a>`
  }${searchedTo && html`<span class="muted">searched back to ${timeTag(searchedTo, now)}</span>`}${
    older &&
    html`<a rel="next" href="${linkTo(query, { cursor: older, direction: undefined })}">${searchedTo ? 'Search further back' : 'Older'} →</a>`
  }</nav>`
}
