import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
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
  const waiting = notifications.values()
  const sendInSequence = async () => {
    for (const notification of waiting) latencies.push(await postOne(url, notification, agent))
  }
  await Promise.all(Array.from({ length: connections }, sendInSequence))
  agent.destroy()
  return percentilesOf(latencies)
}

/**
 * Posts notifications at a fixed rate, whether or not earlier ones are answered. Returns as {@link post}, without
 * those of the first second, which open the connections.
 */
export async function postAtRate(
  url: string,
  notifications: readonly SignedNotification[],
  perSecond: number
) {
  const agent = new Agent({ keepAlive: true })
  const startedAt = performance.now()
  const latencies = await Promise.all(
    notifications.map(async (notification, index) => {
      const due = (index * 1000) / perSecond
      await pause(due)
      const late = performance.now() - startedAt - due
      return (await postOne(url, notification, agent)) + Math.max(0, late)
    })
  )
  agent.destroy()
  return percentilesOf(latencies.slice(perSecond))
}

async function postOne(url: string, { body, headers }: SignedNotification, agent: Agent): Promise<number> {
  const start = performance.now()
  const sending = request(url, { method: 'POST', agent, headers })
  sending.end(body)
  const [response] = await once(sending, 'response')
  const answer = await text(response)
  if (response.statusCode !== 200) throw new Error(`answered ${response.statusCode} ${answer}`)
  return performance.now() - start
}

function percentilesOf(latencies: readonly number[]) {
  const ascending = latencies.toSorted((a, b) => a - b)
  return { p50: percentile(ascending, 0.5), p99: percentile(ascending, 0.99) }
}
