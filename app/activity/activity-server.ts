import cors, { type FastifyCorsOptions } from '@fastify/cors'
import helmet from '@fastify/helmet'
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  fastify,
  LogController
} from 'fastify'
import { type StartInterval, startInterval } from '../interval.ts'
import type { Logger } from '../logger.ts'
import type { Lifecycle } from '../web/lifecycle.ts'
import { type AccessOptions, protect } from './access.ts'
import type { ActivityStore } from './activity-store.ts'
import { api } from './api/api.ts'
import { ACTIVITY_BODY_BYTES } from './body-limit.ts'
import type { LiveFeed } from './live-feed.ts'
import { pages } from './pages/pages.ts'
import type { RepairRunner } from './repair-runner.ts'
import { errorResponseTo, logErrorResponse } from './request-error.ts'

export interface ActivityServerOptions extends AccessOptions {
  log: Logger
  /** A store that bounds the load on the journal. */
  store: ActivityStore
  liveFeed: LiveFeed
  repairs: RepairRunner
  lifecycle: Lifecycle
  /** Origins whose pages may read the list of events and the stream. */
  allowedOrigins: readonly string[]
  /** Milliseconds since the epoch. */
  clock: () => number
  every?: StartInterval
}

const API = '/api/activity'

/** Paths that pages of other origins may read. */
const FEED = [`${API}/events`, `${API}/stream`]

/**
 * Keep-alive time, in milliseconds. Longer than the idle timeout of an ALB (60 s), which would otherwise
 * send requests into closing connections.
 */
const KEEP_ALIVE_MS = 65_000

const REQUEST_MS = 30_000

const MAX_CONNECTIONS = 1000

/** Forbids inline scripts and styles. Allows images from any host: users may have their own. */
const CONTENT_SECURITY_POLICY = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'https:', 'data:'],
  connectSrc: ["'self'"],
  formAction: ["'self'"],
  baseUri: ["'none'"],
  frameAncestors: ["'none'"]
}

/** Builds the server of the activity role. Does not listen yet. */
export async function buildActivityServer(options: ActivityServerOptions): Promise<FastifyInstance> {
  const { log, store, liveFeed, repairs, lifecycle, clock, every = startInterval } = options
  const app: FastifyInstance = fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    routerOptions: { ignoreTrailingSlash: true },
    bodyLimit: ACTIVITY_BODY_BYTES,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: REQUEST_MS,
    // logins are throttled by address: trust X-Forwarded-For only from the nearest peer
    trustProxy: (_address, hop) => hop === 0
  })
  app.server.maxConnections = MAX_CONNECTIONS

  app.setErrorHandler((error, request, reply) => {
    const response = errorResponseTo(error)
    const { status, code, message, retryAfter } = response
    logErrorResponse(request.log, error, response)
    if (retryAfter !== undefined) reply.header('retry-after', retryAfter)
    return reply.code(status).send({ code, message })
  })
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ code: 'NOT_FOUND', message: 'no such page' })
  )
  app.addHook('preClose', async () => liveFeed.close())

  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: CONTENT_SECURITY_POLICY },
    // not for subdomains: they may belong to other services
    strictTransportSecurity: { includeSubDomains: false },
    xFrameOptions: { action: 'deny' },
    // with no-referrer, browsers send `Origin: null` with a form
    referrerPolicy: { policy: 'same-origin' }
  })
  // before authentication: browsers send preflights without a password
  await app.register(cors, { delegator: corsOf(options.allowedOrigins) })
  await protect(app, options)

  app.get('/health', { config: { access: 'open' } }, async () => ({ status: 'alive' }))
  app.get('/ready', { config: { access: 'open' } }, async (_request, reply) => {
    const { state } = lifecycle
    return reply.code(state === 'ready' ? 200 : 503).send({ status: state })
  })
  app.register(api, { prefix: API, store, liveFeed, repairs, every })
  app.register(pages, { store, repairs, clock })
  return app
}

const corsOf =
  (allowedOrigins: readonly string[]) =>
  async ({ url, headers }: FastifyRequest): Promise<FastifyCorsOptions> => {
    const [path = ''] = url.split('?', 1)
    const { origin } = headers
    const isAllowed = origin !== undefined && allowedOrigins.includes(origin) && FEED.includes(path)
    return {
      origin: isAllowed ? origin : false,
      methods: ['GET'],
      allowedHeaders: ['Authorization', 'Last-Event-ID'],
      maxAge: 600
    }
  }
