import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify'
import type { Logger } from '../logger.ts'
import type { ActivityStore } from './activity-store.ts'
import type { LiveFeed } from './live-feed.ts'
import { pages } from './pages/pages.ts'
import type { ReplayRunner } from './replay-runner.ts'

export interface ActivityServerOptions {
  log: Logger
  store: ActivityStore
  liveFeed: LiveFeed
  replays: ReplayRunner
  /** Milliseconds since the epoch. */
  clock: () => number
}

/** The activity role's server, not yet listening. */
export function buildActivityServer(options: ActivityServerOptions): FastifyInstance {
  const { log, store, liveFeed, replays, clock } = options
  const app: FastifyInstance = fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true })
  })
  app.register(pages, { store, liveFeed, replays, clock })
  return app
}
