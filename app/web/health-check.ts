import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'

/**
 * The image's health check, which has no curl: exits 0 if the web role at this port lives. It shares the CPU of web every
 * 10 s, so it imports nothing but Node.js; `fetch` and app/config.ts would take four times as long.
 */
const [port] = process.argv.slice(2)
const request = get(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(2000) })
const [response]: (IncomingMessage | undefined)[] = await once(request, 'response').catch(() => [])
process.exit(response?.statusCode === 200 ? 0 : 1)
