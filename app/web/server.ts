import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify'
import type { Logger } from '../logger.ts'
import { Availability } from './availability.ts'
import { traceIdOf } from './headers.ts'
import { type HealthOptions, health } from './health-routes.ts'
import { LineLimit } from './log-rate-limit.ts'
import { reportUnknownPath } from './unknown-path.ts'
import { createLimits, type Limits } from './web-limits.ts'
import { type WebhookOptions, webhook } from './webhook-route.ts'

export interface ServerOptions
  extends Omit<HealthOptions, 'availability'>,
    Omit<WebhookOptions, 'availability' | 'lineLimit' | 'limits' | 'storeTimeoutMs'> {
  log: Logger
  storeTimeoutMs?: number
  /** Default: by the memory of the task. */
  limits?: Limits
}

/** Longer than the idle time-out of an ALB (60 s), or it would send requests into connections that close. */
const KEEP_ALIVE_MS = 65_000

/** A request must have come in whole by then, in milliseconds; Cloudinary itself gives up after 20 s. */
const REQUEST_MS = 30_000

const HEADERS_MS = 10_000

/** How often Node.js looks for requests past those limits, in milliseconds; by default that adds up to 30 s. */
const CONNECTIONS_CHECK_MS = 1000

/** How often, in milliseconds, connections that have become idle are closed while the server closes. */
const CLOSING_CHECK_MS = 50

/** The web role's server, not yet listening. */
export function buildServer(options: ServerOptions): FastifyInstance {
  const { metrics, log, clock, limits = createLimits() } = options
  const availability = new Availability(clock)
  const lineLimit = new LineLimit(log, clock)
  const app: FastifyInstance = fastify({
    loggerInstance: log as FastifyBaseLogger,
    // the webhook writes one line for each notification, and a load balancer's probes need none
    logController: new LogController({ disableRequestLogging: true }),
    // every line of a request carries it, those of Fastify's own included
    childLoggerFactory: (parent, bindings, loggerOptions, { headers }) =>
      parent.child({ ...bindings, traceId: traceIdOf(headers) }, loggerOptions),
    // an address in Cloudinary may end with a slash
    routerOptions: { ignoreTrailingSlash: true },
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: REQUEST_MS,
    http: { headersTimeout: HEADERS_MS, connectionsCheckingInterval: CONNECTIONS_CHECK_MS },
    // the log shows whom the load balancer saw: X-Forwarded-For is believed of the nearest peer alone
    trustProxy: (_address, hop) => hop === 0
  })

  app.setErrorHandler<{ code?: string; statusCode?: number } & Error>((error, request, reply) => {
    const status = error.statusCode ?? 500
    if (status >= 500) {
      metrics.count('NotificationsUnavailable', 1, { Reason: 'INTERNAL' })
      request.log.error({ err: error }, 'request failed')
      return reply.code(status).send({ code: 'INTERNAL' })
    }
    const code = status === 413 ? 'BODY_TOO_LARGE' : (error.code ?? 'BAD_REQUEST')
    // Fastify has many codes for what is no proper request, and each would be a metric
    metrics.count('NotificationsRefused', 1, { Reason: status === 413 ? code : 'BAD_REQUEST' })
    if (lineLimit.allows(code)) request.log.warn({ code, status, ip: request.ip }, 'request refused')
    return reply.code(status).send({ code })
  })
  // Node.js closes those that are idle when it begins: one that is answered after that would be kept alive, and waited for
  app.addHook('preClose', async () => {
    const timer = setInterval(() => app.server.closeIdleConnections(), CLOSING_CHECK_MS).unref()
    app.server.once('close', () => clearInterval(timer))
  })
  app.server.maxConnections = limits.connections
  app.server.on('drop', () => {
    if (lineLimit.allows('TOO_MANY_CONNECTIONS')) {
      log.warn({ code: 'TOO_MANY_CONNECTIONS', limit: limits.connections }, 'connection refused')
    }
  })
  // whatever is posted to a path that does not exist is neither kept nor parsed
  app.removeAllContentTypeParsers()
  app.setNotFoundHandler((request, reply) => {
    reportUnknownPath(request, lineLimit)
    return reply.code(404).send({ code: 'NOT_FOUND' })
  })

  app.register(health, { ...options, availability })
  app.register(webhook, { storeTimeoutMs: 8000, ...options, availability, lineLimit, limits })
  return app
}
