import type { FastifyInstance } from 'fastify'

/** What `publish` said to refresh. */
interface Revalidation {
  receivedAt: string
  tags: unknown
  paths: unknown
}

/** Maximum number of calls to keep. */
const REMEMBERED = 1000

/**
 * Receives the calls of `publish` like the revalidation hook of a front end: `POST /revalidate` with the
 * secret as bearer token. `GET /revalidate` shows the calls.
 */
export async function revalidateReceiver(
  app: FastifyInstance,
  { publishSecret }: { publishSecret: string }
): Promise<void> {
  const calls: Revalidation[] = []

  app.post<{ Body: { tags?: unknown; paths?: unknown } | null }>('/revalidate', async (request, reply) => {
    if (request.headers.authorization !== `Bearer ${publishSecret}`) {
      reply.code(401)
      return { revalidated: false, message: 'invalid secret' }
    }
    calls.splice(0, calls.length - REMEMBERED + 1)
    calls.push({
      receivedAt: new Date().toISOString(),
      tags: request.body?.tags,
      paths: request.body?.paths
    })
    return { revalidated: true }
  })

  app.get('/revalidate', async () => calls)
}
