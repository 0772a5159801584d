import type { FastifyPluginAsync } from 'fastify'
import { USER_NAME } from '../access.ts'
import { clientSignal } from '../client-signal.ts'
import { filterToQuery, isEmptyFilter, parseListQuery } from '../event-filter.ts'
import type { Replay, ReplaySelection } from '../replay-runner.ts'
import { RequestError } from '../request-error.ts'
import { timeTag } from './event-time.ts'
import { shownFilters } from './filter-form.ts'
import { type Content, type Html, html } from './html.ts'
import { page } from './layout.ts'
import { eventLink, listLink, type Query } from './page-link.ts'
import { type PagesOptions, sendPage } from './page-options.ts'

/** Maximum number of ids in a selection. */
const MOST_IDS = 1000

/** Maximum size of a form, in bytes. Forms contain only ids and a filter. */
const BODY_BYTES = 128 * 1024

/** Interval of reloads of a running replay without JavaScript, in seconds. */
const REFRESH_SECONDS = 2

/**
 * Routes of replays: `GET /activity/replays/new` counts events and asks for confirmation,
 * `POST /activity/replays` starts, `GET /activity/replays/ID` shows the progress,
 * `POST /activity/replays/ID/abort` stops.
 */
export const replayRoutes: FastifyPluginAsync<PagesOptions> = async (app, { replays, clock }) => {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: BODY_BYTES },
    async (_request: unknown, body: string | Buffer) => queryOf(new URLSearchParams(body.toString()))
  )

  app.get<{ Querystring: Query }>('/activity/replays/new', async (request, reply) => {
    const selection = selectionOf(request.query)
    const signal = clientSignal(reply.raw)
    const [failed, all] = await Promise.all([
      replays.count({ selection, failedOnly: true }, signal),
      replays.count({ selection, failedOnly: false }, signal)
    ])
    const main = confirmation(selection, { failed, all })
    return sendPage(reply, page({ title: 'Replay', section: 'events', main }))
  })

  app.post<{ Body: Query | null }>('/activity/replays', async (request, reply) => {
    const { failedOnly, ...query } = request.body ?? {}
    const selection = selectionOf(query)
    const { id } = await replays.start(
      { selection, failedOnly: [failedOnly].flat()[0] !== 'no', by: USER_NAME },
      clientSignal(reply.raw)
    )
    return reply.redirect(replayLink(id), 303)
  })

  app.get<{ Params: { id: string } }>('/activity/replays/:id', async (request, reply) => {
    const replay = replays.find(request.params.id)
    if (!replay) throw replayUnknown()
    const isRunning = replay.state === 'running'
    return sendPage(
      reply,
      page({
        title: `Replay: ${TITLES[replay.state]}`,
        section: 'events',
        ...(isRunning && { refreshSeconds: REFRESH_SECONDS }),
        main: progress(replay, clock())
      })
    )
  })

  app.post<{ Params: { id: string } }>('/activity/replays/:id/abort', async (request, reply) => {
    if (!(await replays.abort(request.params.id, USER_NAME))) throw replayUnknown()
    return reply.redirect(replayLink(request.params.id), 303)
  })
}

const replayUnknown = (): RequestError =>
  new RequestError(404, 'REPLAY_UNKNOWN', 'this process does not know the replay')

const replayLink = (id: string): string => `/activity/replays/${encodeURIComponent(id)}`

const queryOf = (parameters: URLSearchParams): Query =>
  Object.fromEntries([...new Set(parameters.keys())].map((name) => [name, parameters.getAll(name)])) as Query

/** Returns the events with the given ids; without ids, the events that the filter selects. */
function selectionOf({ id, all, ...query }: Query): ReplaySelection {
  const ids = [...new Set([id ?? []].flat())].slice(0, MOST_IDS)
  if (ids.length > 0) return { ids }
  const single = Object.fromEntries(
    Object.entries(query).map(([name, value]) => [name, [value].flat().join(',')])
  )
  const { filter } = parseListQuery(single)
  // "Replay selected" without a selection must not replay everything
  if (isEmptyFilter(filter) && all === undefined)
    throw new RequestError(400, 'NOTHING_SELECTED', 'no event is selected')
  return { filter }
}

/** Numbers of events to replay: with a processor that has not succeeded, and in all. */
interface Counts {
  failed: number
  all: number
}

function confirmation(selection: ReplaySelection, counts: Counts): Html {
  const query = 'filter' in selection ? Object.fromEntries(filterToQuery(selection.filter)) : {}
  const back = 'filter' in selection ? listLink(query) : '/activity'
  if (counts.all === 0) {
    return html`<div class="dialog-page"><h1>Nothing to replay</h1><p>This selects no events.</p><p><a class="button" href="${back}">Back</a></p></div>`
  }
  const inputs: [string, string][] =
    'ids' in selection ? selection.ids.map((id) => ['id', id]) : Object.entries(query)
  return html`<div class="dialog-page"><h1>Replay ${amount(counts.failed || counts.all)}?</h1>
${described(selection, query)}
<form method="post" action="/activity/replays">
${inputs.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}${'filter' in selection && inputs.length === 0 && html`<input type="hidden" name="all" value="yes">`}
<fieldset><legend>Which processors run</legend>
<label><input type="radio" name="failedOnly" value="yes"${counts.failed > 0 ? html` checked` : html` disabled`}> Only those that have not succeeded: ${amount(counts.failed)}</label>
<label><input type="radio" name="failedOnly" value="no"${counts.failed === 0 && html` checked`}> All, including those that have succeeded: ${amount(counts.all)}</label></fieldset>
<p class="muted">The events of an asset run in order. The journal records who replayed them and when.</p>
<div class="actions"><button class="primary" type="submit">Start the replay</button><a class="button" href="${back}">Cancel</a></div>
</form></div>`
}

function described(selection: ReplaySelection, query: Query): Content {
  if ('filter' in selection) {
    return Object.keys(query).length === 0
      ? html`<p class="notice warn"><strong>No filter is set:</strong> this replays every event in the journal.</p>`
      : shownFilters(query)
  }
  const first = selection.ids[0]!
  const others = selection.ids.length - 1
  return html`<p>Selected: <a href="${eventLink(first)}"><code>${first}</code></a>${others > 0 && ` and ${others} more`}</p>`
}

const amount = (count: number): string =>
  count === 1 ? '1 event' : `${count.toLocaleString('en-US')} events`

const TITLES: Readonly<Record<Replay['state'], string>> = {
  running: 'running',
  done: 'done',
  aborted: 'stopped',
  failed: 'failed'
}

function progress(replay: Replay, now: number): Html {
  const { id, state, total, sent, failed, failures, error, by, startedAt, endedAt, failedOnly } = replay
  const isRunning = state === 'running'
  return html`<div class="dialog-page" id="progress"${isRunning && html` data-refresh="1000"`}><h1>Replay ${TITLES[state]}</h1>
<progress max="${total}" value="${sent + failed}" aria-label="Events replayed">${sent + failed} of ${total}</progress>
<p role="status"><strong>${sent.toLocaleString('en-US')}</strong> of ${amount(total)} sent to the queue${failed > 0 && html`, <strong class="bad">${failed}</strong> failed`}</p>
<p class="muted">Started ${timeTag(startedAt, now)} by ${by}${endedAt && html`, ended ${timeTag(endedAt, now)}`} · ${failedOnly ? 'only processors that had not succeeded' : 'all processors'}</p>
${error && html`<div class="notice bad" role="alert"><p><code>${error.code}</code> <bdi>${error.message}</bdi></p></div>`}
${
  failures.length > 0 &&
  html`<h2>Not sent</h2><ul class="plain-list">${failures.map(
    (failure) =>
      html`<li><a href="${eventLink(failure.id)}"><code>${failure.id}</code></a> <code>${failure.code}</code> <bdi>${failure.message}</bdi></li>`
  )}</ul>`
}
<div class="actions">${isRunning && html`<form method="post" action="${replayLink(id)}/abort"><button class="danger" type="submit">Stop</button></form>`}<a class="button" href="${listLink({ source: 'replay' })}">Replayed events</a><a class="button" href="/activity">All events</a></div></div>`
}
