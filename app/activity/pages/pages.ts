import type { FastifyPluginAsync } from 'fastify'
import { errorResponseTo, logErrorResponse, RequestError } from '../request-error.ts'
import { assetRoute } from './asset-route.ts'
import { errorPage } from './error-page.ts'
import { eventRoute } from './event-route.ts'
import { failuresRoute } from './failures-route.ts'
import { listRoute } from './list-route.ts'
import { type PagesOptions, sendPage } from './page-options.ts'
import { refusedRoute } from './refused-route.ts'
import { repairRoutes } from './repair-routes.ts'
import { staticFiles } from './static-files.ts'

/** The activity pages: HTML that works without JavaScript, and their style and script. */
export const pages: FastifyPluginAsync<PagesOptions> = async (app, options) => {
  app.setErrorHandler((error, request, reply) => {
    const response = errorResponseTo(error)
    logErrorResponse(request.log, error, response)
    if (response.retryAfter !== undefined) reply.header('Retry-After', response.retryAfter)
    return sendPage(reply.code(response.status), errorPage(response))
  })
  await app.register(staticFiles)
  for (const route of [listRoute, eventRoute, assetRoute, failuresRoute, refusedRoute, repairRoutes]) {
    await app.register(route, options)
  }
  app.get('/activity/*', async () => {
    throw new RequestError(404, 'NOT_FOUND', 'there is no such page')
  })
}
