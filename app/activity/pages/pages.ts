import type { FastifyPluginAsync } from 'fastify'
import { assetRoute } from './asset-route.ts'
import { ErrorPage, errorPage } from './error-page.ts'
import { eventRoute } from './event-route.ts'
import { failuresRoute } from './failures-route.ts'
import { listRoute } from './list-route.ts'
import type { PagesOptions } from './page-options.ts'
import { refusedRoute } from './refused-route.ts'
import { replayRoutes } from './replay-routes.ts'
import { staticFiles } from './static-files.ts'

/** The activity pages: HTML that works without JavaScript, and their style and script. */
export const pages: FastifyPluginAsync<PagesOptions> = async (app, options) => {
  app.setErrorHandler<{ code?: string; statusCode?: number } & Error>((error, request, reply) => {
    const isJournal = error.code === 'JOURNAL_UNAVAILABLE' || error.code === 'QUEUE_UNAVAILABLE'
    const isLate = error.name === 'TimeoutError' || error.name === 'AbortError'
    const status = error.statusCode ?? (isJournal || isLate ? 503 : 500)
    if (status >= 500) request.log.error({ err: error, code: error.code }, 'request failed')
    const code = error.code ?? (isLate ? 'TIMEOUT' : 'INTERNAL')
    return reply
      .code(status)
      .header('Cache-Control', 'no-store')
      .type('text/html; charset=utf-8')
      .send(errorPage(status, typeof code === 'string' ? code : 'INTERNAL'))
  })
  await app.register(staticFiles)
  for (const route of [listRoute, eventRoute, assetRoute, failuresRoute, refusedRoute, replayRoutes]) {
    await app.register(route, options)
  }
  app.get('/activity/*', async () => {
    throw new ErrorPage(404, 'NOT_FOUND')
  })
}
