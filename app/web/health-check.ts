import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'

/**
 * Health check of the image, which has no curl: exits 0 if the role that listens at this port is alive. It runs
 * every 10 s on the CPU of web, so it uses neither `fetch` nor app/config.ts, which would take four times as long.
 */
const [port] = process.argv.slice(2)
const request = get(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(2000) })
const [response]: (IncomingMessage | undefined)[] = await once(request, 'response').catch(() => [])
process.exit(response?.statusCode === 200 ? 0 : 1)
