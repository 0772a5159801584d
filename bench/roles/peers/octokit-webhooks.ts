import { once } from 'node:events'
import { createServer } from 'node:http'
import { createNodeMiddleware, Webhooks } from '@octokit/webhooks'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { HOST, KEEP_ALIVE_MS, PORT, reportListening } from './peer.ts'

/** GitHub's own middleware behind `node:http`: verifies an HMAC-SHA256, parses, and stores nothing. */
const webhooks = new Webhooks({ secret: LOCAL_CLOUDINARY.apiSecret })
webhooks.on('push', () => {})
const server = createServer(createNodeMiddleware(webhooks, { path: '/webhooks/github' }))
server.keepAliveTimeout = KEEP_ALIVE_MS
server.listen(PORT, HOST)
await once(server, 'listening')
reportListening(server)
