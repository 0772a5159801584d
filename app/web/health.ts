import type { FastifyPluginAsync } from 'fastify'
import type { Lifecycle } from './lifecycle.ts'

export interface HealthOptions {
  lifecycle: Lifecycle
  /** Resolves when the queue answers; rejects when it does not. */
  probeQueue: () => Promise<void>
  /** Milliseconds. */
  clock: () => number
}

/** How long an answer of the queue counts, in milliseconds: load balancers ask every few seconds, from every zone. */
const PROBE_VALID_MS = 5000

/**
 * `GET /health`: 200 while the process lives; nothing else is asked, or an outage of the queue would have every
 * task restarted. `GET /ready`: 200 when it can take traffic.
 */
export const health: FastifyPluginAsync<HealthOptions> = async (app, { lifecycle, probeQueue, clock }) => {
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

  app.get('/health', async () => ({ status: 'alive' }))

  app.get('/ready', async (_request, reply) => {
    if (lifecycle.state !== 'ready') return reply.code(503).send({ status: lifecycle.state })
    if (!(await queueReachable())) return reply.code(503).send({ status: 'no queue' })
    return { status: 'ready' }
  })
}
