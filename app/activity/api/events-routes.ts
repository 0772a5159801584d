import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import type { ActivityStore } from '../activity-store.ts'
import { clientSignal } from '../client-signal.ts'
import { ListSchema, parseListQuery } from '../event-filter.ts'
import { checkFilter, feedEvent, maskDetail } from '../feed-event.ts'
import { readEvents } from '../read-events.ts'
import { RequestError } from '../request-error.ts'
import { EventDetailSchema, EventPageSchema } from './event-schemas.ts'
import { routeSchema } from './route-schema.ts'

const LIST = routeSchema({
  summary: 'Events, newest first',
  querystring: ListSchema,
  answers: { 200: EventPageSchema },
  errors: [400, 403, 503],
  forTokens: true
})

const ONE = routeSchema({
  summary: 'One event, with its payload and its attempts',
  params: z.object({ id: z.string() }),
  answers: { 200: EventDetailSchema },
  errors: [404, 503]
})

/** Routes of the API: `GET /events` and `GET /events/ID`. */
export const eventsRoutes: FastifyPluginAsync<{ store: ActivityStore }> = async (app, { store }) => {
  app.get('/events', { schema: LIST, config: { access: 'token' } }, async ({ query, access }, reply) => {
    const list = parseListQuery(query)
    checkFilter(list.filter, access)
    const page = await readEvents(store, list, clientSignal(reply.raw))
    return { ...page, events: page.events.map((event) => feedEvent(event, access)) }
  })

  app.get<{ Params: { id: string } }>('/events/:id', { schema: ONE }, async ({ params: { id } }) => {
    const event = await store.find(id)
    if (!event) throw new RequestError(404, 'EVENT_UNKNOWN', 'the journal does not know this event')
    return maskDetail(event)
  })
}
