import underPressure from '@fastify/under-pressure'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Environments } from '../cloudinary/environments.ts'
import { toEvents } from '../cloudinary/notification.ts'
import { checkHeaders, type HeaderVerdict, verifySignature } from '../cloudinary/signature.ts'
import { ListenerError } from '../errors.ts'
import type { Outbox } from '../queue/outbox.ts'
import type { Lifecycle } from './lifecycle.ts'

export interface WebhookOptions {
  environments: Pick<Environments, 'verificationKeys' | 'refreshAfterFailedSignature' | 'isOwnKey'>
  outbox: Pick<Outbox, 'store' | 'pendingBytes'>
  lifecycle: Lifecycle
  toleranceSeconds: number
  bodyLimitBytes: number
  /** Milliseconds since the epoch. */
  clock: () => number
  /** How long the queue may take to store a notification, in milliseconds; Cloudinary waits 20 s. */
  storeTimeoutMs: number
  /** Memory above which notifications are refused until it falls, in bytes. */
  maximumRssBytes: number
}

/** How one notification ended: the one place that knows is the log line, the one that tells is the answer. */
type Ending =
  | { outcome: 'accepted'; events: number }
  | { outcome: 'refused'; status: 401 | 413; code: string; reason: string }
  | { outcome: 'unavailable'; code: string; reason: string; error?: unknown }

/** Bytes of events that may wait for SQS; beyond it, notifications are refused until it has caught up. */
const MAXIMUM_PENDING_BYTES = 64 * 1024 * 1024

/** Ids in a log line; a notification may be about a thousand assets. */
const LOGGED_IDS = 20

/** Anybody can send one, and it is in every line; in characters. */
const LONGEST_TRACE_ID = 256

const RETRY_AFTER_SECONDS = 30

type WellFormed = Extract<HeaderVerdict, { outcome: 'well-formed' }>

/** `POST /webhooks/cloudinary`: verifies the bytes, stores one event for each asset, and only then answers 200. */
export const webhook: FastifyPluginAsync<WebhookOptions> = async (app, options) => {
  const { environments, outbox, lifecycle, toleranceSeconds, clock, storeTimeoutMs } = options
  const verdicts = new WeakMap<FastifyRequest, WellFormed>()

  await app.register(underPressure, {
    maxEventLoopDelay: 1000,
    maxRssBytes: options.maximumRssBytes,
    exposeStatusRoute: false,
    pressureHandler: (request, reply, type) => {
      finish(request, reply, { outcome: 'unavailable', code: 'OVERLOADED', reason: String(type) })
    }
  })

  // The bytes as they came: the signature is over them, and nothing is parsed before it is verified.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

  const refuse = (reply: FastifyReply, code: string, reason: string) =>
    finish(reply.request, reply, { outcome: 'refused', status: 401, code, reason })

  app.post('/webhooks/cloudinary', {
    bodyLimit: options.bodyLimitBytes,
    onRequest: async (request, reply) => {
      if (lifecycle.state === 'starting') {
        return finish(request, reply, {
          outcome: 'unavailable',
          code: 'STARTING',
          reason: 'the secret is not read yet'
        })
      }
      if (outbox.pendingBytes > MAXIMUM_PENDING_BYTES) {
        return finish(request, reply, {
          outcome: 'unavailable',
          code: 'OVERLOADED',
          reason: 'too much waits for SQS'
        })
      }
      const verdict = checkHeaders(
        {
          signature: single(request, 'x-cld-signature'),
          timestamp: single(request, 'x-cld-timestamp'),
          signatureV2: single(request, 'x-cld-signature_v2')
        },
        { toleranceSeconds, clock }
      )
      if (verdict.outcome === 'refused') return refuse(reply, verdict.code, verdict.reason)
      verdicts.set(request, verdict)
      // Fastify answers 415 to a malformed one before the body is read; the bytes are what is signed, not this
      delete request.headers['content-type']
    },
    handler: async (request, reply) => {
      const headers = verdicts.get(request) as WellFormed
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      let verdict = verifySignature(body, headers, environments.verificationKeys())
      if (verdict.outcome === 'refused' && (await environments.refreshAfterFailedSignature())) {
        verdict = verifySignature(body, headers, environments.verificationKeys())
      }
      if (verdict.outcome === 'refused') return refuse(reply, verdict.code, verdict.reason)

      const { cloudName } = verdict.key
      const traceId = single(request, 'x-amzn-trace-id')?.slice(0, LONGEST_TRACE_ID)
      const events = toEvents(body, {
        environment: cloudName,
        isOwnKey: (apiKey) => environments.isOwnKey(cloudName, apiKey),
        receivedAt: new Date(clock()),
        signedAt: Number(headers.timestamp),
        ...(traceId && { traceId })
      })
      const about = {
        environment: cloudName,
        type: events[0]?.type,
        notificationType: events[0]?.notificationType,
        ids: events.slice(0, LOGGED_IDS).map(({ id }) => id)
      }
      try {
        await outbox.store(events, AbortSignal.timeout(storeTimeoutMs))
      } catch (error) {
        return finish(request, reply, endingOf(error), about)
      }
      return finish(request, reply, { outcome: 'accepted', events: events.length }, about)
    }
  })
}

function endingOf(error: unknown): Ending {
  if (error instanceof ListenerError && error.code === 'EVENT_TOO_LARGE') {
    return { outcome: 'refused', status: 413, code: error.code, reason: error.message }
  }
  return {
    outcome: 'unavailable',
    code: 'QUEUE_UNAVAILABLE',
    reason: 'SQS has not stored every event',
    error
  }
}

/** Answers, and writes the one log line of a notification. It has no payload and no signature in it. */
function finish(
  request: FastifyRequest,
  reply: FastifyReply,
  ending: Ending,
  about: object = {}
): FastifyReply {
  const line = {
    ...about,
    traceId: single(request, 'x-amzn-trace-id')?.slice(0, LONGEST_TRACE_ID),
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
      return reply.code(ending.status).send({ code: ending.code })
    case 'unavailable':
      request.log.error(
        { ...line, code: ending.code, reason: ending.reason, err: ending.error },
        'notification not stored; Cloudinary will send it again'
      )
      return reply.code(503).header('Retry-After', RETRY_AFTER_SECONDS).send({ code: ending.code })
  }
}

/** The header's value; undefined where it is missing or repeated. */
function single(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' ? value : undefined
}
