import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/**
 * Maximum wait of a receive for messages, in seconds. A worker that stops lets its last receive end, and the
 * listener's wait of 2 s would make each of its stops as long.
 */
const WAIT_SECONDS = 0.4

async function shorten({ body }: FastifyRequest): Promise<void> {
  const call = body as { WaitTimeSeconds?: number } | null | undefined
  if (call?.WaitTimeSeconds) call.WaitTimeSeconds = Math.min(call.WaitTimeSeconds, WAIT_SECONDS)
}

/** Starts stand-ins whose SQS answers an empty receive soon. */
export async function withShortPolls<StandIns>(start: () => Promise<StandIns>): Promise<StandIns> {
  const onServer = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance }
    fastify.addHook('preHandler', shorten)
  }
  // Source: https://fastify.dev/docs/latest/Reference/Hooks/#diagnostics-channel-hooks
  subscribe('fastify.initialization', onServer)
  try {
    return await start()
  } finally {
    unsubscribe('fastify.initialization', onServer)
  }
}
