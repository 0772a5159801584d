import type { FastifyPluginAsync } from 'fastify'
import type { Availability } from './availability.ts'
import type { Lifecycle } from './lifecycle.ts'

export interface HealthOptions {
  lifecycle: Lifecycle
  availability: Availability
  /** Rejects if the queue does not respond. */
  probeQueue: () => Promise<void>
  /** Milliseconds. */
  clock: () => number
}

/**
 * Time that a probe of the queue is cached, in milliseconds. Load balancers check every few seconds from
 * every zone.
 */
const PROBE_VALID_MS = 5000

/** Maximum number of requests to `/ready` that wait for the queue. One connection can send any number. */
const MAX_WAITING = 100

/**
 * Path that the load balancer checks. It is a query of `/ready`, not a separate path: tasks of an older
 * release would answer 404 during an update, and ECS would replace them.
 */
export const SERVING_PATH = '/ready?queue=ignore'

/**
 * - `GET /health`: 200 while the process works, 503 if the task must be replaced.
 * - `GET /ready`: 200 if the task can store notifications. Probes the queue, so Route 53 leaves a region whose
 *   queue is down.
 * - `GET /ready?queue=ignore`: 200 if the task can do its part. On AWS, ECS replaces a task for which the load
 *   balancer gets no 200, and while the queue is down other tasks would not help.
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
          app.log.warn({ err, code: 'QUEUE_UNAVAILABLE' }, 'queue unreachable')
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

  app.get<{ Querystring: { queue?: string } }>('/ready', async ({ query }, reply) => {
    if (lifecycle.state !== 'ready') return reply.code(503).send({ status: lifecycle.state })
    if (availability.isStuck) return reply.code(503).send({ status: 'refusing everything' })
    if (query.queue === 'ignore') return { status: 'ready' }
    if (waiting === MAX_WAITING) return reply.code(503).send({ status: 'busy' })
    waiting++
    const reachable = await queueReachable()
    waiting--
    if (!reachable) return reply.code(503).send({ status: 'no queue' })
    return { status: 'ready' }
  })
}
