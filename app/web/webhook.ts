import underPressure from '@fastify/under-pressure'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { type About, Intake, type IntakeOptions, type WellFormedHeaders } from '../intake/intake.ts'
import type { Outbox } from '../queue/outbox.ts'
import { single, traceIdOf } from './headers.ts'
import type { Lifecycle } from './lifecycle.ts'

export interface WebhookOptions extends IntakeOptions {
  outbox: Pick<Outbox, 'store' | 'pendingBytes'>
  lifecycle: Lifecycle
  bodyLimitBytes: number
  /** Memory above which notifications are refused until it falls, in bytes. */
  maximumRssBytes: number
}

/** How one notification ended: what became of it in the intake, or why it did not come so far. */
type Ending =
  | { outcome: 'accepted'; events: number; about: About }
  | { outcome: 'refused'; code: string; reason: string; about?: About }
  | { outcome: 'unavailable'; code: string; reason: string; error?: unknown; about?: About }

/** Bytes of events that may wait for SQS; beyond it, notifications are refused until it has caught up. */
const MAXIMUM_PENDING_BYTES = 64 * 1024 * 1024

const RETRY_AFTER_SECONDS = 30

/** `POST /webhooks/cloudinary`: verifies the bytes, stores one event for each asset, and only then answers 200. */
export const webhook: FastifyPluginAsync<WebhookOptions> = async (app, options) => {
  const { outbox, lifecycle, metrics } = options
  const intake = new Intake(options)
  const verdicts = new WeakMap<FastifyRequest, WellFormedHeaders>()

  const turnAway = (request: FastifyRequest, reply: FastifyReply, code: string, reason: string) => {
    metrics.count('NotificationsUnavailable', 1, { Reason: code })
    return finish(request, reply, { outcome: 'unavailable', code, reason })
  }

  await app.register(underPressure, {
    maxEventLoopDelay: 1000,
    maxRssBytes: options.maximumRssBytes,
    exposeStatusRoute: false,
    pressureHandler: (request, reply, type) => {
      turnAway(request, reply, 'OVERLOADED', String(type))
    }
  })

  // The bytes as they came: the signature is over them, and nothing is parsed before it is verified.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

  app.post('/webhooks/cloudinary', {
    bodyLimit: options.bodyLimitBytes,
    onRequest: async (request, reply) => {
      if (lifecycle.state === 'starting') {
        return turnAway(request, reply, 'STARTING', 'the secret is not read yet')
      }
      if (outbox.pendingBytes > MAXIMUM_PENDING_BYTES) {
        return turnAway(request, reply, 'OVERLOADED', 'too much waits for SQS')
      }
      const verdict = intake.check({
        signature: single(request.headers, 'x-cld-signature'),
        timestamp: single(request.headers, 'x-cld-timestamp'),
        signatureV2: single(request.headers, 'x-cld-signature_v2')
      })
      if (verdict.outcome === 'refused') return finish(request, reply, verdict)
      verdicts.set(request, verdict)
      // Fastify answers 415 to a malformed one before the body is read; the bytes are what is signed, not this
      delete request.headers['content-type']
    },
    handler: async (request, reply) => {
      const ending = await intake.store({
        body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
        headers: verdicts.get(request) as WellFormedHeaders,
        traceId: traceIdOf(request.headers)
      })
      if (ending.outcome === 'accepted') metrics.time('AckLatency', reply.elapsedTime)
      return finish(request, reply, ending)
    }
  })
}

/** Answers, and writes the one log line of a notification. It has no payload and no signature in it. */
function finish(request: FastifyRequest, reply: FastifyReply, ending: Ending): FastifyReply {
  const line = {
    ...ending.about,
    ip: request.ip,
    outcome: ending.outcome,
    milliseconds: Math.round(reply.elapsedTime)
  }
  switch (ending.outcome) {
    case 'accepted':
      request.log.info({ ...line, events: ending.events }, 'notification accepted')
      return reply.code(200).send({ accepted: ending.events })
    case 'refused':
      request.log.warn({ ...line, code: ending.code, reason: ending.reason }, 'notification refused')
      return reply.code(ending.code === 'EVENT_TOO_LARGE' ? 413 : 401).send({ code: ending.code })
    case 'unavailable':
      request.log.error(
        { ...line, code: ending.code, reason: ending.reason, err: ending.error },
        'notification not stored; Cloudinary will send it again'
      )
      return reply.code(503).header('Retry-After', RETRY_AFTER_SECONDS).send({ code: ending.code })
  }
}
