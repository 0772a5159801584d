import type { Change } from '../ledger/change-tracker.ts'
import type { Scheduler } from '../scheduler.ts'
import type { Delivery } from './delivery.ts'

interface Waiting {
  delivery: Delivery
  changes: readonly Change[]
  visibleAt: number
  handle: string | undefined
}

interface FetchOptions {
  maximum: number
  waitMs: number
  visibilityMs: number
}

/** A poll channel: messages stay hidden after a fetch, and are redelivered until they are acknowledged. */
export class PollChannel {
  messages: Waiting[] = []
  readonly #scheduler: Scheduler
  #handle = 0

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  add(delivery: Delivery, changes: readonly Change[]): void {
    this.messages.push({ delivery, changes, visibleAt: 0, handle: undefined })
  }

  /** Answers as soon as there is a message, or after the wait. */
  fetch(
    options: FetchOptions,
    answer: (messages: object[]) => void,
    until = this.#scheduler.now + options.waitMs
  ): void {
    const { now } = this.#scheduler
    const taken = this.messages.filter(({ visibleAt }) => visibleAt <= now).slice(0, options.maximum)
    if (taken.length === 0 && now < until) {
      this.#scheduler.at(Math.min(until, now + 1000), undefined, 'poll', () =>
        this.fetch(options, answer, until)
      )
      return
    }
    answer(
      taken.map((message) => {
        message.visibleAt = now + options.visibilityMs
        message.handle = `poll-${this.#handle++}`
        const { body, signature, timestamp } = message.delivery
        return {
          signed_payload: body.toString('base64url'),
          signature,
          timestamp,
          receipt_handle: message.handle
        }
      })
    )
  }

  acknowledge(handles: readonly string[]): void {
    for (const message of this.messages.filter(({ handle = '' }) => handles.includes(handle))) {
      for (const change of message.changes) change.isAcknowledged = true
      this.messages.splice(this.messages.indexOf(message), 1)
    }
  }
}
