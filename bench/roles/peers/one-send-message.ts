import { createHash, timingSafeEqual } from 'node:crypto'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { fastify, LogController } from 'fastify'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { HOST, KEEP_ALIVE_MS, PORT, reportListening } from './peer.ts'

/**
 * The first design that comes to mind: it verifies the raw bytes, parses them, stores them with one `SendMessage`,
 * logs one line and answers 200. The SDK has its defaults, which include kept-alive connections.
 */
const sqs = new SQSClient()
const app = fastify({
  logger: true,
  logController: new LogController({ disableRequestLogging: true }),
  keepAliveTimeout: KEEP_ALIVE_MS
})
app.removeAllContentTypeParsers()
app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
  done(null, body)
)

const TOLERANCE_SECONDS = 7200

function isAuthentic(body: Buffer, timestamp: string, signature: string): boolean {
  const expected = createHash('sha1')
    .update(body)
    .update(timestamp)
    .update(LOCAL_CLOUDINARY.apiSecret)
    .digest()
  const given = Buffer.from(signature, 'hex')
  return (
    given.length === expected.length &&
    timingSafeEqual(given, expected) &&
    Math.abs(Date.now() / 1000 - Number(timestamp)) < TOLERANCE_SECONDS
  )
}

app.post<{ Body: Buffer }>('/webhooks/cloudinary', async (request, reply) => {
  const { body, headers } = request
  if (!isAuthentic(body, String(headers['x-cld-timestamp']), String(headers['x-cld-signature']))) {
    return reply.code(401).send({ code: 'SIGNATURE_INVALID' })
  }
  const text = body.toString()
  const { asset_id, version, notification_type } = JSON.parse(text)
  const { MessageId } = await sqs.send(
    new SendMessageCommand({
      QueueUrl: process.env.QUEUE_URL,
      MessageBody: text,
      MessageGroupId: asset_id,
      MessageDeduplicationId: `${asset_id}-${version}`
    })
  )
  request.log.info({ MessageId, asset_id, notification_type }, 'notification stored')
  return { accepted: 1 }
})
await app.listen({ port: PORT, host: HOST })
reportListening(app.server)
