import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { USER_NAME } from '../access.ts'
import { clientSignal } from '../client-signal.ts'
import { ReasonSchema } from '../discard-reason.ts'
import { isEmptyFilter, parseListQuery, parseParameters } from '../event-filter.ts'
import type { EventSelection } from '../repair-plan.ts'
import { RequestError, repairUnknown } from '../request-error.ts'
import { page } from './layout.ts'
import type { Query } from './page-link.ts'
import { type PagesOptions, sendPage } from './page-options.ts'
import { discardQuestion, replayQuestion } from './repair-question.ts'
import { repairList, repairProgress, repairTitle } from './repair-view.ts'

/** Maximum number of ids in a selection. */
const MAX_IDS = 1000

/** Maximum size of a form, in bytes. Forms contain only ids, a filter and a reason. */
const BODY_BYTES = 128 * 1024

/** Interval of reloads of a running repair without JavaScript, in seconds. */
const REFRESH_SECONDS = 2

/**
 * Routes of replays and discards: `GET /activity/replays/new` and `GET /activity/discards/new` count events
 * and ask for confirmation, `POST /activity/replays` and `POST /activity/discards` start one.
 * `GET /activity/repairs` lists both, `GET /activity/repairs/ID` shows the progress,
 * `POST /activity/repairs/ID/abort` stops one.
 */
export const repairRoutes: FastifyPluginAsync<PagesOptions> = async (app, { repairs, clock }) => {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: BODY_BYTES },
    async (_request: unknown, body: string | Buffer) => queryOf(new URLSearchParams(body.toString()))
  )
  const origin = { by: USER_NAME, from: 'page' } as const

  app.get<{ Querystring: Query }>('/activity/replays/new', async (request, reply) => {
    const selection = selectionOf(request.query)
    const main = replayQuestion(selection, await repairs.count(selection, 'replay', clientSignal(reply.raw)))
    return sendPage(reply, page({ title: 'Replay', section: 'events', main }))
  })

  app.get<{ Querystring: Query }>('/activity/discards/new', async (request, reply) => {
    const selection = selectionOf(request.query)
    const counts = await repairs.count(selection, 'discard', clientSignal(reply.raw))
    return sendPage(
      reply,
      page({ title: 'Discard', section: 'events', main: discardQuestion(selection, counts) })
    )
  })

  app.post<{ Body: Query | null }>('/activity/replays', async (request, reply) => {
    const { failedOnly, ...query } = request.body ?? {}
    const { id } = await repairs.start(
      {
        kind: 'replay',
        selection: selectionOf(query),
        failedOnly: [failedOnly].flat()[0] !== 'no',
        ...origin
      },
      clientSignal(reply.raw)
    )
    return reply.redirect(repairLink(id), 303)
  })

  app.post<{ Body: Query | null }>('/activity/discards', async (request, reply) => {
    const { reason: given, ...query } = request.body ?? {}
    const selection = selectionOf(query)
    const { reason } = parseParameters(ReasonForm, { reason: [given].flat()[0] ?? ' ' })
    const { id } = await repairs.start(
      { kind: 'discard', selection, reason, ...origin },
      clientSignal(reply.raw)
    )
    return reply.redirect(repairLink(id), 303)
  })

  app.get('/activity/repairs', async (_request, reply) => {
    const found = await repairs.recent(clientSignal(reply.raw))
    return sendPage(
      reply,
      page({ title: 'Repairs', section: 'repairs', main: repairList(found, clock(), repairLink) })
    )
  })

  app.get<{ Params: { id: string } }>('/activity/repairs/:id', async (request, reply) => {
    const repair = await repairs.find(request.params.id)
    if (!repair) throw repairUnknown()
    const isRunning = repair.state === 'running'
    return sendPage(
      reply,
      page({
        title: repairTitle(repair),
        section: 'repairs',
        ...(isRunning && { refreshSeconds: REFRESH_SECONDS }),
        main: repairProgress(repair, clock(), repairLink(repair.id))
      })
    )
  })

  app.post<{ Params: { id: string } }>('/activity/repairs/:id/abort', async (request, reply) => {
    if (!(await repairs.abort(request.params.id, USER_NAME))) throw repairUnknown()
    return reply.redirect(repairLink(request.params.id), 303)
  })
}

const ReasonForm = z.strictObject({ reason: ReasonSchema })

const repairLink = (id: string): string => `/activity/repairs/${encodeURIComponent(id)}`

const queryOf = (parameters: URLSearchParams): Query =>
  Object.fromEntries([...new Set(parameters.keys())].map((name) => [name, parameters.getAll(name)])) as Query

/** Returns the events with the given ids; without ids, the events that the filter selects. */
function selectionOf({ id, all, ...query }: Query): EventSelection {
  const ids = [...new Set([id ?? []].flat())].slice(0, MAX_IDS)
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
