import { fastify } from 'fastify'

/**
 * The cost of HTTP only: the same server library reads the same bodies and answers 200, without verification,
 * queue and log.
 */
const app = fastify({ logger: false, keepAliveTimeout: 65_000 })
app.removeAllContentTypeParsers()
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
app.post('/webhooks/cloudinary', async () => ({ accepted: 1 }))
const url = await app.listen({ port: 0, host: '127.0.0.1' })
process.send?.({ kind: 'listening', url })
process.once('disconnect', () => process.exit())
