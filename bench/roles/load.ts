import { HttpConnections } from './http-connections.ts'
import { postRequest, type SignedNotification } from './notifications.ts'
import { atRate, type LoadResult, loadResultOf, type Rate } from './rate.ts'

/**
 * Number of connections of a fixed rate, opened before it starts. Further requests wait for a free one: a burst of
 * new connections after a pause of the server would delay the requests by more than the pause did.
 */
export const RATE_CONNECTIONS = 100

/** Posts prepared notifications to one server, again and again in the same order. */
export class Load {
  readonly #url: string
  readonly #requests: Buffer[]
  #next = 0

  constructor(url: string, notifications: readonly SignedNotification[]) {
    this.#url = url
    this.#requests = notifications.map((notification) => postRequest(url, notification))
  }

  /**
   * Posts over a number of open connections. Each sends the next notification when the last one is answered
   * (a closed loop).
   */
  async atFullLoad(connectionCount: number, milliseconds: number): Promise<LoadResult> {
    const connections = new HttpConnections(this.#url, connectionCount)
    await connections.open(connectionCount)
    const latencies: number[] = []
    let sent = 0
    const end = performance.now() + milliseconds
    const postInSequence = async () => {
      for (let start = performance.now(); start < end; start = performance.now()) {
        sent++
        if (await connections.send(this.#request())) latencies.push(performance.now() - start)
      }
    }
    await Promise.all(Array.from({ length: connectionCount }, postInSequence)).finally(() =>
      connections.close()
    )
    return loadResultOf(latencies, sent)
  }

  /**
   * Posts at a fixed rate, whether or not earlier ones are answered. Also posts `extra` once, in the middle.
   */
  async atRate(rate: Rate, extra?: SignedNotification): Promise<LoadResult & { extraMs: number }> {
    const connections = new HttpConnections(this.#url, RATE_CONNECTIONS)
    await connections.open(RATE_CONNECTIONS)
    const middle = Math.floor((rate.perSecond * rate.milliseconds) / 2000)
    let extraMs = Promise.resolve(Number.NaN)
    const post = (index: number) => {
      if (extra && index === middle) extraMs = timeOf(() => connections.send(postRequest(this.#url, extra)))
      return connections.send(this.#request())
    }
    try {
      const answered = await atRate(rate, post)
      return { ...answered, extraMs: await extraMs }
    } finally {
      connections.close()
    }
  }

  #request(): Buffer {
    return this.#requests[this.#next++ % this.#requests.length]!
  }
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}
