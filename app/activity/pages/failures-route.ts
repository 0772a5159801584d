import type { FastifyPluginAsync } from 'fastify'
import { maskSecrets } from '../../mask.ts'
import type { ActivityEvent, ActivityStore } from '../activity-store.ts'
import { clientSignal } from '../client-signal.ts'
import { eventSummary } from './event-summary.ts'
import { timeTag } from './event-time.ts'
import { adviceOn } from './failure-advice.ts'
import { type FailureGroup, failureGroups } from './failure-groups.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'
import { eventLink, link } from './page-link.ts'
import { type PagesOptions, sendPage } from './page-options.ts'
import { sparkBars } from './sparkline.ts'

/** Maximum number of events to group, per status. */
const MAX_EVENTS = 1000

const PAGE = 200

/** `GET /activity/failures`: retrying and dead events by processor and code. */
export const failuresRoute: FastifyPluginAsync<PagesOptions> = async (app, { store, clock }) => {
  app.get('/activity/failures', async (_request, reply) => {
    const signal = clientSignal(reply.raw)
    const [dead, retrying] = await Promise.all([
      readAll(store, 'dead', signal),
      readAll(store, 'retrying', signal)
    ])
    const now = clock()
    const groups = failureGroups([...dead.events, ...retrying.events], now)
    return sendPage(
      reply,
      page({
        title: 'Failures',
        section: 'failures',
        main: html`<div class="page-head"><h1>Failures</h1><p class="muted">Events that wait for their next attempt or are dead, by processor and error code.${
          (dead.isCut || retrying.isCut) && ` Only the newest ${MAX_EVENTS} events of each state are counted.`
        }</p></div>${groups.length === 0 ? nothing() : html`<ul class="failures">${groups.map((group) => card(group, now))}</ul>`}`
      })
    )
  })
}

async function readAll(
  store: ActivityStore,
  status: 'dead' | 'retrying',
  signal: AbortSignal
): Promise<{ events: ActivityEvent[]; isCut: boolean }> {
  const events: ActivityEvent[] = []
  let cursor: string | undefined
  do {
    const page = await store.unfinished(status, {
      filter: {},
      limit: PAGE,
      signal,
      ...(cursor !== undefined && { cursor })
    })
    events.push(...page.events)
    cursor = page.older
  } while (cursor !== undefined && events.length < MAX_EVENTS)
  return { events, isCut: cursor !== undefined }
}

const nothing = (): Html =>
  html`<div class="empty"><p><strong>Nothing has failed.</strong></p><p>Every event is done, ignored or being processed.</p></div>`

function card(group: FailureGroup, now: number): Html {
  const { processor, code, message, dead, retrying, firstSeen, lastSeen, newest, overTime } = group
  const count = dead + retrying
  const selection = { processor, code, status: 'retrying,dead' }
  return html`<li class="card failure ${dead > 0 ? 'dead' : 'retrying'}">
<div class="failure-head"><h2><bdi>${processor}</bdi> <code>${code}</code></h2>
<p class="message"><bdi>${maskSecrets(message)}</bdi></p></div>
<dl class="failure-figures"><div><dt>Events</dt><dd class="value">${count}</dd></div>
<div><dt>Dead</dt><dd class="value${dead > 0 && ' bad'}">${dead}</dd></div>
<div><dt>Retrying</dt><dd class="value">${retrying}</dd></div>
<div><dt>First seen</dt><dd>${timeTag(firstSeen, now)}</dd></div>
<div><dt>Last seen</dt><dd>${timeTag(lastSeen, now)}</dd></div></dl>
<div class="failure-chart">${sparkBars(overTime, `${count} failures over time, oldest left`, dead > 0 ? 'dead' : 'retrying')}</div>
<p class="advice"><strong>What to do:</strong> ${adviceOn(code, dead > 0)} <a href="${eventLink(newest.id)}">Newest: ${eventSummary(newest)}</a></p>
<div class="actions"><a class="button primary" href="${link('/activity/replays/new', selection)}">Replay these…</a>${dead > 0 && html`<a class="button" href="${link('/activity/discards/new', { processor, code, status: 'dead' })}">Discard the dead…</a>`}<a class="button" href="${link('/activity', { processor, code, view: 'failed' })}">Show events</a></div>
</li>`
}
