import type { IncomingMessage } from 'node:http'
import underPressure from '@fastify/under-pressure'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Ingest, type IngestOptions, type IngestOutcome, type WellFormedHeaders } from '../ingest/ingest.ts'
import type { EventSender } from '../queue/event-sender.ts'
import type { Arrival, Tracing } from '../tracing/tracing.ts'
import type { Availability } from './availability.ts'
import type { Release } from './body-budget.ts'
import { signatureHeaders, traceIdOf } from './headers.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { LogRateLimit } from './log-rate-limit.ts'
import { bodyTooLarge, readBody } from './request-body.ts'
import type { WebLimits } from './web-limits.ts'
import { WEBHOOK_PATH } from './webhook-path.ts'

export interface WebhookOptions extends IngestOptions {
  sender: Pick<EventSender, 'store' | 'pendingBytes'>
  lifecycle: Lifecycle
  availability: Availability
  logRateLimit: LogRateLimit
  limits: Pick<WebLimits, 'reading' | 'storing' | 'eventLoopDelayMs'>
  bodyLimitBytes: number
  tracing?: Tracing | undefined
}

/** The outcome of a request: of the ingest, or of a check before it. */
type WebhookOutcome =
  | IngestOutcome
  | { outcome: 'unavailable'; code: string; reason: string; summary?: undefined }

/** A request whose headers were accepted. */
interface AdmittedRequest {
  headers: WellFormedHeaders
  bodyBytes: number
  /** Releases the memory reserved for receiving the body. */
  release: Release
  /** True if there was no memory left for storing the body. */
  isTurnedAway: boolean
}

/** Maximum bytes of events that wait for SQS. Above it, notifications are refused. */
const MAX_PENDING_BYTES = 64 * 1024 * 1024

const RETRY_AFTER_SECONDS = 30

/** Time limit of a body: 5 s, plus 1 ms for each 512 bytes. */
const BODY_MS = 5000
const BODY_BYTES_PER_MS = 512

/** `POST /webhooks/cloudinary`: verifies the body, stores one event per asset, and only then responds 200. */
export const webhook: FastifyPluginAsync<WebhookOptions> = async (app, options) => {
  const { sender, lifecycle, metrics, availability, limits, logRateLimit, bodyLimitBytes, tracing } = options
  const ingest = new Ingest(options)
  const admissions = new WeakMap<FastifyRequest, AdmittedRequest>()

  const finish = (request: FastifyRequest, reply: FastifyReply, outcome: WebhookOutcome) => {
    // only authentic notifications have a summary
    const isLogged = outcome.summary !== undefined || logRateLimit.allows(outcome.code)
    return respond(request, reply, outcome, isLogged)
  }

  const turnAway = (request: FastifyRequest, reply: FastifyReply, code: string, reason: string) => {
    metrics.count('NotificationsUnavailable', 1, { Reason: code })
    if (code === 'OVERLOADED') availability.refused()
    return finish(request, reply, { outcome: 'unavailable', code, reason })
  }

  await app.register(underPressure, {
    maxEventLoopDelay: limits.eventLoopDelayMs,
    exposeStatusRoute: false,
    pressureHandler: (request, reply, type) => {
      turnAway(request, reply, 'OVERLOADED', String(type))
    }
  })

  // keeps the exact bytes, which the signature covers; they are parsed only after they are verified
  app.addContentTypeParser('*', async (request: FastifyRequest, payload: IncomingMessage) => {
    const { bodyBytes } = admissions.get(request) as AdmittedRequest
    return readBody(payload, {
      expectedBytes: bodyBytes,
      withinMs: BODY_MS + bodyBytes / BODY_BYTES_PER_MS
    })
  })

  app.post(WEBHOOK_PATH, {
    onRequest: async (request, reply) => {
      if (lifecycle.state === 'starting') {
        return turnAway(request, reply, 'STARTING', 'the credentials are not loaded yet')
      }
      if (sender.pendingBytes > MAX_PENDING_BYTES) {
        return turnAway(request, reply, 'OVERLOADED', 'too many events are waiting for SQS')
      }
      const headers = ingest.check(signatureHeaders(request.headers))
      if (headers.outcome === 'refused') return finish(request, reply, headers)
      const bodyBytes = bodyBytesOf(request, bodyLimitBytes)
      if (bodyBytes > bodyLimitBytes) {
        reply.header('Connection', 'close')
        throw bodyTooLarge(bodyLimitBytes)
      }
      const release = limits.reading.reserve(bodyBytes)
      if (!release)
        return turnAway(request, reply, 'OVERLOADED', 'too many bytes of bodies are being received')
      const admitted = { headers, bodyBytes, release, isTurnedAway: false }
      admissions.set(request, admitted)
      // emitted after every response, and when the sender disconnects
      reply.raw.once('close', () => {
        release()
        if (!admitted.isTurnedAway) availability.served()
      })
      // Fastify responds 415 to a malformed type, but only the bytes are signed, not the type
      delete request.headers['content-type']
    },
    handler: async (request, reply) => {
      const admitted = admissions.get(request) as AdmittedRequest
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      const releaseStoring = limits.storing.reserve(body.length)
      admitted.release()
      if (!releaseStoring) {
        admitted.isTurnedAway = true
        return turnAway(request, reply, 'OVERLOADED', 'too many bytes of bodies are being stored')
      }
      const span = tracing?.receive(arrivalOf(request, reply))
      const outcome = await ingest
        .store({ body, headers: admitted.headers, traceId: traceIdOf(request.headers), span })
        .finally(releaseStoring)
      if (outcome.outcome === 'accepted') metrics.time('AckLatency', reply.elapsedTime)
      finish(request, reply, outcome)
      span?.end(outcome, reply.statusCode)
      return reply
    }
  })
}

function arrivalOf({ protocol, url, headers }: FastifyRequest, { elapsedTime }: FastifyReply): Arrival {
  return {
    kind: 'request',
    startedAt: Date.now() - elapsedTime,
    traceId: traceIdOf(headers),
    route: WEBHOOK_PATH,
    path: url.replace(/\?.*/, ''),
    scheme: protocol,
    headers
  }
}

/** Returns the stated size of the body, or the limit if the sender does not state it, in bytes. */
function bodyBytesOf({ headers }: FastifyRequest, limitBytes: number): number {
  if (headers['transfer-encoding'] !== undefined) return limitBytes
  return Number(headers['content-length'] ?? 0)
}

/** Responds, and logs one line without payload and signature. */
function respond(
  { log, ip, headers }: FastifyRequest,
  reply: FastifyReply,
  outcome: WebhookOutcome,
  isLogged: boolean
): FastifyReply {
  const { summary, ...result } = outcome
  const line = {
    ...summary,
    ip,
    traceId: traceIdOf(headers),
    outcome: result.outcome,
    milliseconds: Math.round(reply.elapsedTime)
  }
  switch (result.outcome) {
    case 'accepted':
      log.info({ ...line, events: result.events }, 'notification accepted')
      return reply.code(200).send({ accepted: result.events })
    case 'refused': {
      const { code, reason } = result
      if (isLogged) log.warn({ ...line, code, reason }, 'notification refused')
      return reply.code(code === 'EVENT_TOO_LARGE' ? 413 : 401).send({ code })
    }
    case 'unavailable': {
      const { code, reason } = result
      const err = 'error' in result ? result.error : undefined
      if (isLogged)
        log.error({ ...line, code, reason, err }, 'notification not stored; Cloudinary will retry')
      return reply.code(503).header('Retry-After', RETRY_AFTER_SECONDS).send({ code })
    }
  }
}
