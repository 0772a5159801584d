import type { FastifyPluginAsync } from 'fastify'
import { propertyChanges } from '../../ingest/event-change.ts'
import { maskSecrets } from '../../mask.ts'
import type { ActivityEvent, ActivityEventDetail, ActivityStore } from '../activity-store.ts'
import { clientSignal } from '../client-signal.ts'
import { encodeCursor } from '../event-cursor.ts'
import { maskPayload } from '../masked-payload.ts'
import { RequestError } from '../request-error.ts'
import { changeTable } from './change-table.ts'
import { thumbnail } from './delivery-thumbnail.ts'
import { discardNotice, eventRepairs } from './event-repairs.ts'
import { eventRow, nextRetry, processorText, statusBadge, who } from './event-row.ts'
import { assetName, eventSummary, eventTitle } from './event-summary.ts'
import { duration, exactTime, timeTag } from './event-time.ts'
import { adviceOn } from './failure-advice.ts'
import { type Content, type Html, html } from './html.ts'
import { page } from './layout.ts'
import { assetLink, filterLink, link } from './page-link.ts'
import { type PagesOptions, sendPage } from './page-options.ts'
import { payloadView } from './payload-view.ts'
import { queuePositions } from './queue-positions.ts'
import { curlCommand, sendCommand } from './shell-commands.ts'
import { waterfall } from './waterfall.ts'

/** Number of neighbours shown on each side of an event. */
const NEIGHBOURS = 5

/** `GET /activity/events/ID`. */
export const eventRoute: FastifyPluginAsync<PagesOptions> = async (app, { store, clock }) => {
  app.get<{ Params: { id: string } }>('/activity/events/:id', async (request, reply) => {
    const event = await store.find(request.params.id)
    if (!event) throw new RequestError(404, 'EVENT_UNKNOWN', 'the journal does not know this event')
    const neighbours = await neighboursOf(store, event, clientSignal(reply.raw))
    return sendPage(
      reply,
      page({ title: eventTitle(event), section: 'events', main: eventBody(event, neighbours, clock()) })
    )
  })
}

/** Returns the event and its neighbours of the same asset, newest first. */
async function neighboursOf(
  store: ActivityStore,
  event: ActivityEventDetail,
  signal: AbortSignal
): Promise<ActivityEvent[]> {
  if (!event.group) return []
  const cursor = encodeCursor(event)
  const query = { cursor, limit: NEIGHBOURS, signal }
  const [newer, older] = await Promise.all([
    store.history(event.group, { ...query, direction: 'newer' }),
    store.history(event.group, { ...query, direction: 'older' })
  ])
  return [...newer.events, event, ...older.events]
}

function eventBody(event: ActivityEventDetail, neighbours: readonly ActivityEvent[], now: number): Html {
  const { id, group } = event
  const payload = event.payload === undefined ? undefined : maskPayload(event.payload)
  const retry = nextRetry(event)
  const changes = propertyChanges(event.type, payload)
  const curl = curlCommand(payload)
  return html`<div class="event-head">${thumbnail(event, 'large')}
<div><h1>${eventSummary(event)}</h1>
<p class="meta">${statusBadge(event)} <span>received ${timeTag(event.receivedAt, now)}</span>${retry && html` <span>next attempt ${timeTag(retry, now)}</span>`}${event.reason && html` <span>${event.reason}</span>`} ${queuePositions(neighbours).get(id)}</p></div>
<div class="actions"><a class="button primary" data-key="r" href="${link('/activity/replays/new', { id })}">Replay…</a>${
    event.status === 'dead' &&
    html`<a class="button" href="${link('/activity/discards/new', { id })}">Discard…</a>`
  }${
    event.asset && group && html`<a class="button" href="${assetLink(group)}">History of the asset</a>`
  }<a class="button" href="/api/activity/events/${encodeURIComponent(id)}">JSON</a></div></div>
${errors(event)}${discardNotice(event, now)}
<section class="card" aria-labelledby="timeline"><h2 id="timeline">What happened</h2>${waterfall(event, now)}</section>
<div class="columns">
<div>
${changes.length > 0 && html`<section class="card" aria-labelledby="changes"><h2 id="changes">What changed</h2>${changeTable(changes)}</section>`}
${processors(event, now)}
${eventRepairs(event, now)}
<section class="card" aria-labelledby="payload-title"><div class="card-head"><h2 id="payload-title">Payload</h2>${payload !== undefined && copyButton('payload')}</div>${
    payload === undefined
      ? html`<p class="muted">The payload was too large to keep.</p>`
      : payloadView(payload)
  }</section>
</div>
<div>
<section class="card" aria-labelledby="facts"><h2 id="facts">Facts</h2>${facts(event)}</section>
<section class="card" aria-labelledby="again"><h2 id="again">Send it again</h2>
<p class="muted">A sample of the same type, sent to a listener on this machine:</p>${command('send-command', sendCommand(event))}
${curl && html`<p class="muted">This notification with a new signature. Secrets in it are masked:</p>${command('curl-command', curl)}`}</section>
</div>
</div>
${
  group &&
  neighbours.length > 1 &&
  html`<section class="card flush" aria-labelledby="neighbours"><div class="card-head"><h2 id="neighbours">Other events of this asset</h2><a href="${assetLink(group)}">All events</a></div>
<ol class="rows">${neighbours.map((each) => eventRow(each, { now, current: id, remark: queuePositions(neighbours).get(each.id) }))}</ol></section>`
}`
}

/** Renders the error of a failing event, with advice. */
function errors({ status, lastError }: ActivityEventDetail): Content {
  if (!lastError || (status !== 'dead' && status !== 'retrying')) return undefined
  const { processor, code, message } = lastError
  return html`<section class="notice ${status === 'dead' ? 'bad' : 'warn'}" aria-labelledby="error"><h2 id="error"><bdi>${processor}</bdi> ${status === 'dead' ? 'failed permanently' : 'failed and will be retried'}: <code>${code}</code></h2>
<p class="message"><bdi>${maskSecrets(message)}</bdi></p>
<p><strong>What to do:</strong> ${adviceOn(code, status === 'dead')}</p>
<p><a href="${link('/activity', { processor, code, view: 'failed' })}">Events with the same error</a></p></section>`
}

function processors({ processors }: ActivityEventDetail, now: number): Content {
  const records = Object.entries(processors)
  if (records.length === 0) return undefined
  return html`<section class="card" aria-labelledby="processors"><h2 id="processors">Processors</h2><div class="scroll" tabindex="0" role="region" aria-label="Table of processors"><table class="plain">
<thead><tr><th scope="col">Name</th><th scope="col">Outcome</th><th scope="col">Attempts</th><th scope="col">Took</th><th scope="col">Last run</th></tr></thead>
<tbody>${records.map(([name, record]) => {
    const text = processorText(record)
    return html`<tr><th scope="row"><bdi>${name}</bdi></th><td><span class="chip ${record.outcome}">${record.outcome}</span></td><td>${record.attempts}${record.waits > 0 && html` <span class="muted">+ ${record.waits} not counted</span>`}</td><td>${'milliseconds' in record && duration(record.milliseconds)}</td><td>${timeTag(record.at, now)}</td></tr>${
      text && html`<tr class="said"><td colspan="5"><bdi>${text}</bdi></td></tr>`
    }`
  })}</tbody></table></div></section>`
}

function facts(event: ActivityEventDetail): Html {
  const { asset, traceId } = event
  const rows: [string, Content][] = [
    ['Type', html`<a href="${filterLink({ type: [event.type] })}">${event.type}</a>`],
    [
      'Environment',
      html`<a href="${filterLink({ environment: event.environment })}"><bdi>${event.environment}</bdi></a>`
    ],
    ['Public id', asset?.publicId && html`<bdi>${assetName(event)}</bdi>`],
    [
      'Asset id',
      asset?.assetId &&
        html`<a href="${filterLink({ assetId: asset.assetId })}"><code>${asset.assetId}</code></a>`
    ],
    ['Kind', asset && [asset.resourceType, asset.deliveryType].filter((part) => part).join(' · ')],
    ['Version', asset?.version],
    ['Who', who(event)],
    ['Source', event.source],
    ['Occurred', html`<code>${exactTime(event.occurredAt)}</code>`],
    ['Received', html`<code>${exactTime(event.receivedAt)}</code>`],
    ['Finished', event.finishedAt && html`<code>${exactTime(event.finishedAt)}</code>`],
    ['Run', event.run && html`<code>${event.run}</code>`],
    ['Trace id', traceId && html`<a href="${filterLink({ trace: traceId })}"><code>${traceId}</code></a>`],
    ['Event id', html`<code>${event.id}</code>`]
  ]
  return html`<dl class="facts">${rows
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`
}

const command = (id: string, text: string): Html =>
  html`<div class="command"><pre id="${id}" tabindex="0">${text}</pre>${copyButton(id)}</div>`

/** Renders a copy button. It stays hidden without activity.js. */
const copyButton = (target: string): Html =>
  html`<button class="quiet copy" type="button" data-copy="${target}" hidden>Copy</button>`
