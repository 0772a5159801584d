import { hash } from 'node:crypto'
import type { QueuedMessage } from './instructions.ts'

/** Maximum number of messages of one receive, as in SQS. */
const RECEIVE_BATCH = 10

/**
 * A queue whose messages are generated when they are received, so that a backlog of any length takes no
 * memory. Their texts are prepared, so that a receive costs next to nothing. What is sent to it is dropped.
 */
export class BenchQueue {
  #prepared: string[] = []
  #wake = Promise.withResolvers<void>()
  calls = 0
  received = 0
  deleted = 0

  generate(messages: readonly QueuedMessage[]): void {
    this.#prepared = messages.map(
      ({ body }) => `"Body":${JSON.stringify(body)},"MD5OfBody":"${hash('md5', body)}"`
    )
    this.#wake.resolve()
    this.#wake = Promise.withResolvers()
  }

  /** Returns the response of ReceiveMessage. Waits for messages if there are none. */
  async receive(maximum: number, waitSeconds: number): Promise<string> {
    if (this.#prepared.length === 0) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, waitSeconds * 1000)
      await Promise.race([this.#wake.promise, promise])
      clearTimeout(timer)
      if (this.#prepared.length === 0) return '{}'
    }
    const messages = Array.from({ length: Math.min(maximum, RECEIVE_BATCH) }, () => this.#next())
    return `{"Messages":[${messages.join()}]}`
  }

  #next(): string {
    const number = this.received++
    const prepared = this.#prepared[number % this.#prepared.length]
    const ids = `"MessageId":"message-${number}","ReceiptHandle":"receipt-${number}"`
    const attributes = `{"MessageGroupId":"group-${number}","ApproximateReceiveCount":"1"}`
    return `{${ids},${prepared},"Attributes":${attributes}}`
  }
}
