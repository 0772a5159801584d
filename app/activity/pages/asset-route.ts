import type { FastifyPluginAsync } from 'fastify'
import type { ActivityEvent, EventPage } from '../activity-store.ts'
import { clientSignal } from '../client-signal.ts'
import { DEFAULT_PAGE_SIZE } from '../event-filter.ts'
import { RequestError } from '../request-error.ts'
import { thumbnail } from './delivery-thumbnail.ts'
import { eventRow } from './event-row.ts'
import { assetName } from './event-summary.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'
import { pager } from './list-route.ts'
import { assetLink, filterLink, link, type Query } from './page-link.ts'
import { type PagesOptions, sendPage } from './page-options.ts'
import { queuePositions } from './queue-positions.ts'

/** `GET /activity/assets/GROUP`: all events of an asset. */
export const assetRoute: FastifyPluginAsync<PagesOptions> = async (app, { store, clock }) => {
  app.get<{ Params: { group: string }; Querystring: Query }>(
    '/activity/assets/:group',
    async (request, reply) => {
      const { group } = request.params
      const { cursor, direction } = request.query
      const history = await store.history(group, {
        limit: DEFAULT_PAGE_SIZE,
        direction: direction === 'newer' ? 'newer' : 'older',
        signal: clientSignal(reply.raw),
        ...(typeof cursor === 'string' && { cursor })
      })
      const [newest] = history.events
      if (!newest) throw new RequestError(404, 'ASSET_UNKNOWN', 'the journal has no events of this asset')
      const name = assetName(newest) ?? 'Events without an asset'
      return sendPage(
        reply,
        page({
          title: name,
          section: 'events',
          main: assetBody(group, newest, history, request.query, clock())
        })
      )
    }
  )
}

function assetBody(
  group: string,
  newest: ActivityEvent,
  history: EventPage,
  query: Query,
  now: number
): Html {
  const positions = queuePositions(history.events)
  const { asset, environment } = newest
  const kind = [asset?.resourceType, asset?.deliveryType, environment].filter((part) => part).join(' · ')
  return html`<div class="event-head">${thumbnail(newest, 'large')}<div><h1><bdi class="asset">${assetName(newest) ?? 'Events without an asset'}</bdi></h1>
<p class="meta"><span>${kind}</span>${asset?.assetId && html` <code>${asset.assetId}</code>`}</p></div>
<div class="actions">${asset?.assetId && html`<a class="button" href="${filterLink({ assetId: asset.assetId })}">Filter by this asset</a>`}</div></div>
<section class="events" aria-labelledby="events-title">
<div class="bar"><h2 id="events-title">All its events, newest first</h2><span class="grow"></span>
<form id="selection" method="get" action="/activity/replays/new"><button type="submit">Replay selected<span id="selected" hidden></span></button></form></div>
<ol class="rows" id="rows">${history.events.map((event) =>
    eventRow(event, { now, form: 'selection', remark: positions.get(event.id) })
  )}</ol>
${pager(history, query, now, (given, changes) => link(assetLink(group), { ...given, ...changes }))}
</section>`
}
