import { SQSClient } from '@aws-sdk/client-sqs'
import { fastify } from 'fastify'
import { HOST, PORT, reportListening } from './peer.ts'

/** The least that any listener with this server and this queue loads before it is ready. */
const sqs = new SQSClient()
const app = fastify({ logger: true })
app.get('/ready', async () => ({ status: sqs.config.apiVersion }))
await app.listen({ port: PORT, host: HOST })
reportListening(app.server)
