import { setTimeout as pause } from 'node:timers/promises'
import type { SignedNotification } from '../../../bench/roles/notifications.ts'

interface Counts {
  accepted: number
  /** Refused or unanswered. */
  others: number
  /** Maximum latency of accepted ones, in milliseconds. */
  slowest: number
}

const NONE: Counts = { accepted: 0, others: 0, slowest: 0 }

/** Cloudinary's response timeout, in milliseconds. */
const ANSWER_MS = 20_000

/** Sends authentic notifications at a steady rate, and counts their outcomes. */
export class Traffic {
  readonly #url: string
  readonly #sending: Promise<void>
  #counts = { ...NONE }
  #stopped = false

  constructor(url: string, notifications: readonly SignedNotification[], perSecond: number) {
    this.#url = url
    this.#sending = this.#run(notifications, 1000 / perSecond)
  }

  /** Returns the counts since the last call. */
  take(): Counts {
    const counts = this.#counts
    this.#counts = { ...NONE }
    return counts
  }

  report(): string {
    const { accepted, others, slowest } = this.take()
    return `${accepted} of ${accepted + others} authentic notifications accepted, the slowest in ${slowest.toFixed(0)} ms`
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#sending
  }

  async #run(notifications: readonly SignedNotification[], intervalMs: number): Promise<void> {
    const sent: Promise<void>[] = []
    for (const notification of notifications) {
      if (this.#stopped) break
      sent.push(this.#send(notification))
      await pause(intervalMs)
    }
    await Promise.all(sent)
  }

  async #send({ body, headers }: SignedNotification): Promise<void> {
    const start = performance.now()
    const status = await fetch(this.#url, {
      method: 'POST',
      headers,
      body: new Uint8Array(body),
      signal: AbortSignal.timeout(ANSWER_MS)
    }).then(
      async (answer) => {
        await answer.arrayBuffer()
        return answer.status
      },
      () => undefined
    )
    if (status === 200) {
      this.#counts.accepted++
      this.#counts.slowest = Math.max(this.#counts.slowest, performance.now() - start)
    } else this.#counts.others++
  }
}
