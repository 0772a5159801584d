import swagger from '@fastify/swagger'
import type { FastifyPluginAsync } from 'fastify'
import type { StartInterval } from '../../interval.ts'
import type { ActivityStore } from '../activity-store.ts'
import type { LiveFeed } from '../live-feed.ts'
import type { RepairRunner } from '../repair-runner.ts'
import { eventsRoutes } from './events-routes.ts'
import { repairsRoutes } from './repairs-routes.ts'
import { streamRoute } from './stream-route.ts'

export interface ApiOptions {
  store: ActivityStore
  liveFeed: LiveFeed
  repairs: RepairRunner
  every: StartInterval
}

/** The activity API, under `/api/activity`. */
export const api: FastifyPluginAsync<ApiOptions> = async (app, { store, liveFeed, repairs, every }) => {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Cloudinary listener: activity', version: '1' },
      components: {
        securitySchemes: {
          password: { type: 'http', scheme: 'basic', description: 'user name `listener`' },
          token: { type: 'http', scheme: 'bearer', description: 'one of ACTIVITY_READ_TOKENS' }
        }
      }
    }
  })
  // the schemas only document the routes: the handlers validate, with errors that name the parameter
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => JSON.stringify)
  app.addHook('onSend', async (_request, reply) => void reply.header('cache-control', 'no-store'))
  app.register(eventsRoutes, { store })
  app.register(streamRoute, { liveFeed, every })
  app.register(repairsRoutes, { repairs })
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
}
