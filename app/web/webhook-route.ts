import type { IncomingMessage } from 'node:http'
import underPressure from '@fastify/under-pressure'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { type About, Ingest, type IngestOptions, type WellFormedHeaders } from '../ingest/ingest.ts'
import type { EventSender } from '../queue/event-sender.ts'
import type { Availability } from './availability.ts'
import type { Release } from './body-budget.ts'
import { single, traceIdOf } from './headers.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { LineLimit } from './log-rate-limit.ts'
import { bodyTooLarge, readBody } from './request-body.ts'
import type { Limits } from './web-limits.ts'
import { WEBHOOK_PATH } from './webhook-path.ts'

export interface WebhookOptions extends IngestOptions {
  sender: Pick<EventSender, 'store' | 'pendingBytes'>
  lifecycle: Lifecycle
  availability: Availability
  lineLimit: LineLimit
  limits: Pick<Limits, 'reading' | 'storing' | 'eventLoopDelayMs'>
  bodyLimitBytes: number
}

/** How one notification ended: what became of it in the ingest, or why it did not come so far. */
type Ending =
  | { outcome: 'accepted'; events: number; about: About }
  | { outcome: 'refused'; code: string; reason: string; about?: About }
  | { outcome: 'unavailable'; code: string; reason: string; error?: unknown; about?: About }

/** A request that was let in. */
interface Admitted {
  headers: WellFormedHeaders
  bodyBytes: number
  /** Of what its body takes while it comes in. */
  release: Release
  /** There was no room to store it. */
  turnedAway: boolean
}

/** Bytes of events that may wait for SQS; beyond it, notifications are refused until it has caught up. */
const MAXIMUM_PENDING_BYTES = 64 * 1024 * 1024

const RETRY_AFTER_SECONDS = 30

/** What any sender is given for its body, in milliseconds, and what it must send at least after that, in bytes. */
const BODY_MS = 5000
const BODY_BYTES_PER_MS = 512

/** `POST /webhooks/cloudinary`: verifies the bytes, stores one event for each asset, and only then answers 200. */
export const webhook: FastifyPluginAsync<WebhookOptions> = async (app, options) => {
  const { sender, lifecycle, metrics, availability, limits, lineLimit, bodyLimitBytes } = options
  const ingest = new Ingest(options)
  const admissions = new WeakMap<FastifyRequest, Admitted>()

  const finish = (request: FastifyRequest, reply: FastifyReply, ending: Ending) => {
    // what is about something is authentic
    if (ending.about || ending.outcome === 'accepted' || lineLimit.allows(ending.code))
      report(request, reply, ending)
    return answer(reply, ending)
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

  // The bytes as they came: the signature is over them, and nothing is parsed before it is verified.
  app.addContentTypeParser('*', async (request: FastifyRequest, payload: IncomingMessage) => {
    const { bodyBytes } = admissions.get(request) as Admitted
    return readBody(payload, {
      expectedBytes: bodyBytes,
      withinMs: BODY_MS + bodyBytes / BODY_BYTES_PER_MS
    })
  })

  app.post(WEBHOOK_PATH, {
    onRequest: async (request, reply) => {
      if (lifecycle.state === 'starting') {
        return turnAway(request, reply, 'STARTING', 'the secret is not read yet')
      }
      if (sender.pendingBytes > MAXIMUM_PENDING_BYTES) {
        return turnAway(request, reply, 'OVERLOADED', 'too much waits for SQS')
      }
      const verdict = ingest.check({
        signature: single(request.headers, 'x-cld-signature'),
        timestamp: single(request.headers, 'x-cld-timestamp'),
        signatureV2: single(request.headers, 'x-cld-signature_v2')
      })
      if (verdict.outcome === 'refused') return finish(request, reply, verdict)
      const bodyBytes = bodyBytesOf(request, bodyLimitBytes)
      if (bodyBytes > bodyLimitBytes) {
        reply.header('Connection', 'close')
        throw bodyTooLarge(bodyLimitBytes)
      }
      const release = limits.reading.reserve(bodyBytes)
      if (!release) return turnAway(request, reply, 'OVERLOADED', 'too many bytes of bodies are coming in')
      const admitted = { headers: verdict, bodyBytes, release, turnedAway: false }
      admissions.set(request, admitted)
      // comes after every answer, and when the sender is gone
      reply.raw.once('close', () => {
        release()
        if (!admitted.turnedAway) availability.served()
      })
      // Fastify answers 415 to a malformed one before the body is read; the bytes are what is signed, not this
      delete request.headers['content-type']
    },
    handler: async (request, reply) => {
      const admitted = admissions.get(request) as Admitted
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      const stored = limits.storing.reserve(body.length)
      admitted.release()
      if (!stored) {
        admitted.turnedAway = true
        return turnAway(request, reply, 'OVERLOADED', 'too many bytes of bodies are being stored')
      }
      const ending = await ingest
        .store({ body, headers: admitted.headers, traceId: traceIdOf(request.headers) })
        .finally(stored)
      if (ending.outcome === 'accepted') metrics.time('AckLatency', reply.elapsedTime)
      return finish(request, reply, ending)
    }
  })
}

/** What the body may be, in bytes: what its sender says, or as much as is allowed if it does not say. */
function bodyBytesOf({ headers }: FastifyRequest, limitBytes: number): number {
  if (headers['transfer-encoding'] !== undefined) return limitBytes
  return Number(headers['content-length'] ?? 0)
}

/** Writes the one log line of a notification. It has no payload and no signature in it. */
function report({ log, ip }: FastifyRequest, reply: FastifyReply, ending: Ending): void {
  const { outcome } = ending
  const line = { ...ending.about, ip, outcome, milliseconds: Math.round(reply.elapsedTime) }
  switch (outcome) {
    case 'accepted':
      log.info({ ...line, events: ending.events }, 'notification accepted')
      break
    case 'refused':
      log.warn({ ...line, code: ending.code, reason: ending.reason }, 'notification refused')
      break
    case 'unavailable':
      log.error(
        { ...line, code: ending.code, reason: ending.reason, err: ending.error },
        'notification not stored; Cloudinary will send it again'
      )
  }
}

function answer(reply: FastifyReply, ending: Ending): FastifyReply {
  switch (ending.outcome) {
    case 'accepted':
      return reply.code(200).send({ accepted: ending.events })
    case 'refused':
      return reply.code(ending.code === 'EVENT_TOO_LARGE' ? 413 : 401).send({ code: ending.code })
    case 'unavailable':
      return reply.code(503).header('Retry-After', RETRY_AFTER_SECONDS).send({ code: ending.code })
  }
}
