import type { FastifyInstance } from 'fastify'
import { Webhook } from 'standardwebhooks'
import { eventBusApi } from './event-bus.ts'
import type { PublishedMessage } from './sns.ts'

export interface OutboundOptions {
  /** Secret of `forward`. */
  forwardSecret: string
  /** Returns the messages that `notify` published. */
  messages: () => PublishedMessage[]
}

/** A request from `forward`. */
type Received = { receivedAt: string; id: string | undefined } & (
  | { verified: true; repeated: boolean; body: unknown }
  | { verified: false; why: string }
)

/** Maximum number of requests to keep. */
const REMEMBERED = 1000

/**
 * Receives and shows requests, messages and events of processors. `POST /received` accepts requests with a valid
 * signature of Standard Webhooks, and answers others 401.
 */
export async function outboundApi(
  app: FastifyInstance,
  { forwardSecret, messages }: OutboundOptions
): Promise<void> {
  const webhook = new Webhook(forwardSecret)
  const requests: Received[] = []

  // the signature covers the raw bytes
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

  app.post<{ Body: Buffer | undefined }>('/received', async ({ headers, body = Buffer.alloc(0) }, reply) => {
    const id = headers['webhook-id']?.toString()
    const about = { receivedAt: new Date().toISOString(), id }
    requests.splice(0, requests.length - REMEMBERED + 1)
    try {
      const content = webhook.verify(body, headers as Record<string, string>)
      const repeated = requests.some((known) => known.verified && known.id === id)
      requests.push({ ...about, verified: true, repeated, body: content })
      reply.code(204)
    } catch (error) {
      const why = (error as Error).message
      requests.push({ ...about, verified: false, why })
      reply.code(401)
      return { error: { message: why } }
    }
  })

  app.get('/received', async () => requests)

  app.get('/messages', async () => messages())

  await eventBusApi(app)
}
