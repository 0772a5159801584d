import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify'
import type { Logger } from '../logger.ts'
import { Availability } from './availability.ts'
import { signatureHeaders, traceIdOf } from './headers.ts'
import { type HealthOptions, health } from './health-routes.ts'
import { LogRateLimit } from './log-rate-limit.ts'
import { reportUnknownPath } from './unknown-path.ts'
import { createLimits, type WebLimits } from './web-limits.ts'
import { type WebhookOptions, webhook } from './webhook-route.ts'

export interface ServerOptions
  extends Omit<HealthOptions, 'availability'>,
    Omit<WebhookOptions, 'availability' | 'logRateLimit' | 'limits'> {
  log: Logger
  /** Limits of all requests. (Default: derived from the memory of the task) */
  limits?: WebLimits
}

/**
 * Keep-alive time, in milliseconds. Longer than the idle timeout of an ALB (60 s), which would otherwise
 * send requests into closing connections.
 */
const KEEP_ALIVE_MS = 65_000

/** Maximum time to receive a request, in milliseconds. Cloudinary itself times out after 20 s. */
const REQUEST_MS = 30_000

const HEADERS_MS = 10_000

/** Interval at which Node.js enforces these limits, in milliseconds. Its default is 30 s. */
const CONNECTIONS_CHECK_MS = 1000

/** Interval at which idle connections are closed while the server closes, in milliseconds. */
const CLOSING_CHECK_MS = 50

/** Builds the server of the web role. Does not listen yet. */
export function buildServer(options: ServerOptions): FastifyInstance {
  const { metrics, log, clock, onRefused, limits = createLimits() } = options
  const availability = new Availability(clock)
  const logRateLimit = new LogRateLimit(log, clock)
  const app: FastifyInstance = fastify({
    loggerInstance: log as FastifyBaseLogger,
    // the webhook logs one line per notification; health checks need none
    logController: new LogController({ disableRequestLogging: true }),
    // a logger for each request would cost more CPU time than the line that it writes
    childLoggerFactory: (parent) => parent,
    // the URL in Cloudinary may end with a slash
    routerOptions: { ignoreTrailingSlash: true },
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: REQUEST_MS,
    http: { headersTimeout: HEADERS_MS, connectionsCheckingInterval: CONNECTIONS_CHECK_MS },
    // trusts X-Forwarded-For of the nearest peer only: the client that the load balancer saw
    trustProxy: (_address, hop) => hop === 0
  })

  app.setErrorHandler<{ code?: string; statusCode?: number } & Error>((error, request, reply) => {
    const status = error.statusCode ?? 500
    if (status >= 500) {
      metrics.count('NotificationsUnavailable', 1, { Reason: 'INTERNAL' })
      log.error({ err: error, traceId: traceIdOf(request.headers) }, 'request failed')
      return reply.code(status).send({ code: 'INTERNAL' })
    }
    const code = status === 413 ? 'BODY_TOO_LARGE' : (error.code ?? 'BAD_REQUEST')
    // Fastify has many codes for malformed requests, and each would be a separate metric
    const reason = status === 413 ? code : 'BAD_REQUEST'
    metrics.count('NotificationsRefused', 1, { Reason: reason })
    onRefused?.({ code: reason, headers: signatureHeaders(request.headers) })
    if (logRateLimit.allows(code)) {
      log.warn({ code, status, ip: request.ip, traceId: traceIdOf(request.headers) }, 'request refused')
    }
    return reply.code(status).send({ code })
  })
  // Node.js closes idle connections only once; connections that become idle later would delay the close
  app.addHook('preClose', async () => {
    const timer = setInterval(() => app.server.closeIdleConnections(), CLOSING_CHECK_MS).unref()
    app.server.once('close', () => clearInterval(timer))
  })
  app.server.maxConnections = limits.connections
  app.server.on('drop', () => {
    if (logRateLimit.allows('TOO_MANY_CONNECTIONS')) {
      log.warn({ code: 'TOO_MANY_CONNECTIONS', limit: limits.connections }, 'connection refused')
    }
  })
  // bodies for unknown paths are neither kept nor parsed
  app.removeAllContentTypeParsers()
  app.setNotFoundHandler((request, reply) => {
    reportUnknownPath(request, logRateLimit)
    return reply.code(404).send({ code: 'NOT_FOUND' })
  })

  app.register(health, { ...options, availability })
  app.register(webhook, { ...options, availability, logRateLimit, limits })
  return app
}
