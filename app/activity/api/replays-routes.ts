import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { USER_NAME } from '../access.ts'
import type { ActivityFilter } from '../activity-store.ts'
import { clientSignal } from '../client-signal.ts'
import { FilterError, FilterSchema, parseFilter, parseParameters } from '../event-filter.ts'
import type { Replay, ReplayRunner, ReplaySelection } from '../replay-runner.ts'
import { RequestError } from '../request-error.ts'
import { ReplaySchema } from './event-schemas.ts'
import { routeSchema } from './route-schema.ts'

/** Maximum number of ids in a request. */
const MAXIMUM_IDS = 1000

const OptionsSchema = z.strictObject({
  failedOnly: z.boolean().default(true).describe('run only processors that have not succeeded'),
  dryRun: z.boolean().default(false).describe('only count the events')
})

const IdsSchema = OptionsSchema.extend({
  ids: z.array(z.string().min(1).max(200)).min(1).max(MAXIMUM_IDS).describe('events to replay')
})

const SelectionSchema = OptionsSchema.extend({
  filter: FilterSchema.describe('selects the events to replay, with the parameters of the list')
})

const TotalSchema = z.object({ total: z.int().describe('number of events selected') })

const START = routeSchema({
  summary: 'Replay events, each once, in order per asset',
  body: z.union([IdsSchema, SelectionSchema]),
  answers: { 200: TotalSchema, 202: TotalSchema.extend({ id: z.string().describe('id of the replay') }) },
  errors: [400, 403, 409, 503]
})

const Params = z.object({ id: z.string() })

const FIND = routeSchema({
  summary: 'Progress of a replay',
  description: 'Only the process that runs a replay knows it. Each process keeps the last 100 replays.',
  params: Params,
  answers: { 200: ReplaySchema },
  errors: [404]
})

const ABORT = routeSchema({
  summary: 'Abort a replay',
  description: 'Workers still process the events that have been sent.',
  params: Params,
  answers: { 200: ReplaySchema },
  errors: [403, 404]
})

/** `POST /replays`, `GET /replays/ID` and `POST /replays/ID/abort`. */
export const replaysRoutes: FastifyPluginAsync<{ replays: ReplayRunner }> = async (app, { replays }) => {
  app.post('/replays', { schema: START }, async ({ body }, reply) => {
    const { dryRun, failedOnly, selection } = parseBody(body)
    const signal = clientSignal(reply.raw)
    if (dryRun) return { total: await replays.count({ selection, failedOnly }, signal) }
    const { id, total } = await replays.start({ selection, failedOnly, by: USER_NAME }, signal)
    return reply.code(202).send({ id, total })
  })

  app.get<{ Params: { id: string } }>('/replays/:id', { schema: FIND }, async ({ params: { id } }) =>
    known(replays.find(id))
  )

  app.post<{ Params: { id: string } }>('/replays/:id/abort', { schema: ABORT }, async ({ params: { id } }) =>
    known(await replays.abort(id, USER_NAME))
  )
}

interface ReplayBody extends z.output<typeof OptionsSchema> {
  selection: ReplaySelection
}

function parseBody(body: unknown): ReplayBody {
  const given = typeof body === 'object' && body !== null ? body : {}
  if ('filter' in given === 'ids' in given) {
    throw new RequestError(400, 'FILTER_INVALID', 'give either ids or filter')
  }
  if ('filter' in given) {
    const { filter, ...options } = given
    return { ...parseParameters(OptionsSchema, options), selection: { filter: parseWholeFilter(filter) } }
  }
  const { ids, ...options } = parseParameters(IdsSchema, given)
  return { ...options, selection: { ids } }
}

/** Reads a filter like the query string, but rejects empty values: they could select too many events. */
function parseWholeFilter(given: unknown): ActivityFilter {
  const filter = parseFilter(given)
  for (const [parameter, value] of Object.entries(given as object)) {
    if (value === '') throw new FilterError(parameter, 'is empty')
  }
  return filter
}

function known(replay: Replay | undefined): Replay {
  if (replay) return replay
  throw new RequestError(404, 'REPLAY_UNKNOWN', 'this process does not know the replay')
}
