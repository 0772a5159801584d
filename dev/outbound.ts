import type { FastifyInstance } from 'fastify'
import { Webhook } from 'standardwebhooks'
import type { PublishedMessage } from './sns.ts'

export interface OutboundOptions {
  /** What `forward` signs with. */
  forwardSecret: string
  /** What `notify` has published. */
  messages: () => PublishedMessage[]
}

/** A request that came to where `forward` posts to. */
type Received = { receivedAt: string; id: string | undefined } & (
  | { verified: true; repeated: boolean; body: unknown }
  | { verified: false; why: string }
)

/** So many requests are remembered. */
const REMEMBERED = 1000

/**
 * For people who try out processors that send: somewhere to send to, and a look at what came. `POST /received` takes
 * what is signed as Standard Webhooks has it, and refuses what is not.
 */
export async function outboundApi(
  app: FastifyInstance,
  { forwardSecret, messages }: OutboundOptions
): Promise<void> {
  const webhook = new Webhook(forwardSecret)
  const requests: Received[] = []

  // the bytes are what is signed
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
}
