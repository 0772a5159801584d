import type { FastifyPluginAsync } from 'fastify'
import type { Availability } from './availability.ts'
import type { Lifecycle } from './lifecycle.ts'

export interface HealthOptions {
  lifecycle: Lifecycle
  availability: Availability
  /** Resolves when the queue answers; rejects when it does not. */
  probeQueue: () => Promise<void>
  /** Milliseconds. */
  clock: () => number
}

/** How long an answer of the queue counts, in milliseconds: load balancers ask every few seconds, from every zone. */
const PROBE_VALID_MS = 5000

/** Requests to `/ready` that may wait for the queue: one connection can send any number before it is answered. */
const MAXIMUM_WAITING = 100

/**
 * `GET /health`: 200 while the process works, 503 when it must be replaced; the queue is not asked, or an outage would
 * have every task replaced. `GET /ready`: 200 when it can take traffic.
 */
export const health: FastifyPluginAsync<HealthOptions> = async (app, options) => {
  const { lifecycle, availability, probeQueue, clock } = options
  let waiting = 0
  let probe = { at: Number.NEGATIVE_INFINITY, reachable: Promise.resolve(false) }

  const queueReachable = () => {
    if (clock() - probe.at >= PROBE_VALID_MS) {
      const reachable = probeQueue().then(
        () => true,
        (err: unknown) => {
          app.log.warn({ err, code: 'QUEUE_UNAVAILABLE' }, 'the queue does not answer')
          return false
        }
      )
      probe = { at: clock(), reachable }
    }
    return probe.reachable
  }

  app.get('/health', async (_request, reply) => {
    if (availability.isStuck) return reply.code(503).send({ status: 'refusing everything' })
    return { status: 'alive' }
  })

  app.get('/ready', async (_request, reply) => {
    if (lifecycle.state !== 'ready') return reply.code(503).send({ status: lifecycle.state })
    if (waiting === MAXIMUM_WAITING) return reply.code(503).send({ status: 'busy' })
    waiting++
    const reachable = await queueReachable()
    waiting--
    if (!reachable) return reply.code(503).send({ status: 'no queue' })
    return { status: 'ready' }
  })
}
