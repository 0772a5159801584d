import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { USER_NAME } from '../access.ts'
import type { ActivityFilter } from '../activity-store.ts'
import { clientSignal } from '../client-signal.ts'
import { ReasonSchema } from '../discard-reason.ts'
import { FilterError, FilterSchema, parseFilter, parseParameters } from '../event-filter.ts'
import type { Repair } from '../repair.ts'
import type { EventSelection } from '../repair-plan.ts'
import type { RepairRunner } from '../repair-runner.ts'
import { RequestError, repairUnknown } from '../request-error.ts'
import { RepairSchema } from './event-schemas.ts'
import { routeSchema } from './route-schema.ts'

/** Maximum number of ids in a request. */
const MAX_IDS = 1000

const DryRun = { dryRun: z.boolean().default(false).describe('only count the events') }

const ReplayOptions = z.strictObject({
  failedOnly: z.boolean().default(true).describe('run only processors that have not succeeded (a redrive)'),
  ...DryRun
})

const DiscardOptions = z.strictObject({ reason: ReasonSchema, ...DryRun })

const Ids = {
  ids: z.array(z.string().min(1).max(200)).min(1).max(MAX_IDS).describe('ids of the events')
}

const Filter = { filter: FilterSchema.describe('selects the events, with the parameters of the list') }

/** The body of a request: options, and either ids or a filter. */
const bodyOf = (options: z.ZodObject) => z.union([options.extend(Ids), options.extend(Filter)])

const Total = { total: z.int().describe('number of events selected') }

const CountSchema = z.object({
  ...Total,
  isComplete: z.boolean().describe('false if counting stopped at a limit: there may be more events')
})

const ANSWERS = { 200: CountSchema, 202: z.object({ id: z.string(), ...Total }) }

const REPLAY = routeSchema({
  summary: 'Replay events, each once, in order per asset',
  body: bodyOf(ReplayOptions),
  answers: ANSWERS,
  errors: [400, 403, 409, 503]
})

const DISCARD = routeSchema({
  summary: 'Discard dead events: delete their dead letters, with a reason',
  description: 'A discarded event is final. It runs again only if it is replayed with all processors.',
  body: bodyOf(DiscardOptions),
  answers: ANSWERS,
  errors: [400, 403, 409, 503]
})

const Params = z.object({ id: z.string() })

const FIND = routeSchema({
  summary: 'Progress of a replay or a discard',
  description: 'It is kept for seven days. Each activity task answers for all of them.',
  params: Params,
  answers: { 200: RepairSchema },
  errors: [404, 503]
})

const ABORT = routeSchema({
  summary: 'Abort a replay or a discard',
  description:
    'Workers still process the events that have been sent. One that runs in another activity task ends ' +
    'within some seconds.',
  params: Params,
  answers: { 200: RepairSchema },
  errors: [403, 404, 503]
})

/**
 * Routes of the API: `POST /replays` and `POST /discards`; and for each of them `GET …/ID` and
 * `POST …/ID/abort`.
 */
export const repairsRoutes: FastifyPluginAsync<{ repairs: RepairRunner }> = async (app, { repairs }) => {
  const origin = { by: USER_NAME, from: 'api' } as const

  app.post('/replays', { schema: REPLAY }, async ({ body }, reply) => {
    const { selection, dryRun, failedOnly } = parseBody(body, ReplayOptions)
    const signal = clientSignal(reply.raw)
    if (dryRun) {
      const { failed, all, isComplete } = await repairs.count(selection, 'replay', signal)
      return { total: failedOnly ? failed : all, isComplete }
    }
    const { id, total } = await repairs.start({ kind: 'replay', selection, failedOnly, ...origin }, signal)
    return reply.code(202).send({ id, total })
  })

  app.post('/discards', { schema: DISCARD }, async ({ body }, reply) => {
    const { selection, dryRun, reason } = parseBody(body, DiscardOptions)
    const signal = clientSignal(reply.raw)
    if (dryRun) {
      const { dead, isComplete } = await repairs.count(selection, 'discard', signal)
      return { total: dead, isComplete }
    }
    const { id, total } = await repairs.start({ kind: 'discard', selection, reason, ...origin }, signal)
    return reply.code(202).send({ id, total })
  })

  for (const path of ['/replays/:id', '/discards/:id']) {
    app.get<{ Params: { id: string } }>(path, { schema: FIND }, async ({ params: { id } }) =>
      known(await repairs.find(id))
    )

    app.post<{ Params: { id: string } }>(`${path}/abort`, { schema: ABORT }, async ({ params: { id } }) =>
      known(await repairs.abort(id, USER_NAME))
    )
  }
}

function parseBody<Options extends z.ZodObject>(
  body: unknown,
  options: Options
): z.output<Options> & { selection: EventSelection } {
  const given = typeof body === 'object' && body !== null ? body : {}
  if ('filter' in given === 'ids' in given) {
    throw new RequestError(400, 'FILTER_INVALID', 'give either ids or filter')
  }
  if ('filter' in given) {
    const { filter, ...others } = given
    return { ...parseParameters(options, others), selection: { filter: parseWholeFilter(filter) } }
  }
  const { ids, ...others } = given as { ids: unknown }
  const selection = parseParameters(z.strictObject(Ids), { ids })
  return { ...parseParameters(options, others), selection }
}

/**
 * Parses a filter by the rules of the query string, but rejects empty values: they could select too many
 * events.
 */
function parseWholeFilter(given: unknown): ActivityFilter {
  const filter = parseFilter(given)
  for (const [parameter, value] of Object.entries(given as object)) {
    if (value === '') throw new FilterError(parameter, 'is empty')
  }
  return filter
}

function known(repair: Repair | undefined): Repair {
  if (repair) return repair
  throw repairUnknown()
}
