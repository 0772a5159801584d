import { fastify } from 'fastify'
import { HOST, KEEP_ALIVE_MS, PORT, reportListening } from './peer.ts'

/** The cost of HTTP only: reads the same bodies and answers 200, without verification, queue and log. */
const app = fastify({ logger: false, keepAliveTimeout: KEEP_ALIVE_MS })
app.removeAllContentTypeParsers()
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
app.post('/webhooks/cloudinary', async () => ({ accepted: 1 }))
app.get('/ready', async () => ({ status: 'ready' }))
await app.listen({ port: PORT, host: HOST })
reportListening(app.server)
