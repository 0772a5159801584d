import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { LOCAL_CLOUDINARY } from '../../app/testing/defaults.ts'
import { sampleNotification } from '../../app/testing/samples.ts'
import { signatureHeaders } from '../../app/testing/sign.ts'
import { percentile } from '../../dev/send/send-many.ts'

export interface SignedNotification {
  body: Buffer
  headers: Record<string, string>
}

/** Returns signed notifications of uploads, each of another asset. */
export function uploads(count: number, run: string): SignedNotification[] {
  const now = new Date()
  return Array.from({ length: count }, (_, index) => {
    const notification = sampleNotification('upload', {
      variant: 'metadata',
      publicId: `bench/${run}/asset-${index}`,
      now
    })
    const body = Buffer.from(JSON.stringify(notification))
    const seconds = Math.floor(now.getTime() / 1000)
    return {
      body,
      headers: { 'content-type': 'application/json', ...signatureHeaders(body, LOCAL_CLOUDINARY, seconds) }
    }
  })
}

/**
 * Posts notifications over a number of open connections. Each sends the next notification when the last one
 * is answered.
 *
 * @returns percentiles of the latency, in milliseconds
 * @throws {Error} if an answer is not 200
 */
export async function post(url: string, notifications: readonly SignedNotification[], connections: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const latencies: number[] = []
  let next = 0
  const sendInSequence = async () => {
    for (let index = next++; index < notifications.length; index = next++) {
      const { body, headers } = notifications[index]!
      const start = performance.now()
      const sending = request(url, { method: 'POST', agent, headers })
      sending.end(body)
      const [response] = await once(sending, 'response')
      const answer = await text(response)
      if (response.statusCode !== 200) throw new Error(`answered ${response.statusCode} ${answer}`)
      latencies.push(performance.now() - start)
    }
  }
  await Promise.all(Array.from({ length: connections }, sendInSequence))
  agent.destroy()
  latencies.sort((a, b) => a - b)
  return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) }
}
