import { setImmediate as nextTurn } from 'node:timers/promises'
import { signatureHeaders } from '../../app/testing/sign.ts'
import type { Cloud } from './cloud.ts'
import { Recorder } from './recorder.ts'
import type { SignatureAlgorithm } from './request-signature.ts'

/** One attempt to deliver a notification. */
export interface Delivery {
  /** Start of the attempt, Unix time in milliseconds. */
  time: number
  cloud: string
  url: string
  /** Null if the body has none. */
  notificationType: string | null
  /** The sent bytes, as text. */
  body: string
  headers: Record<string, string>
  /** 1 for the first; 0 for a notification given up without an attempt. */
  attempt: number
  /** Status of the response; null before it. */
  status: number | null
  /** Reason why there was no response. */
  error?: string
  outcome: 'under_way' | 'delivered' | 'will_retry' | 'given_up' | 'buffered'
  /** Milliseconds until the next attempt; null after the last one. */
  retryInMs: number | null
}

export interface NotifierOptions {
  algorithm: SignatureAlgorithm
  /** Delays before the retries, one for each retry. */
  retryDelaysMs: number[]
  timeoutMs: number
  /** Maximum number of attempts in flight; others are queued. */
  concurrency: number
  /** Signs each attempt anew, with its own time. */
  resign: boolean
  clock: () => number
  maxRecords: number
  /** Returns whether to give up a notification without an attempt. */
  isDropped?: (notification: Pick<Delivery, 'cloud' | 'url' | 'notificationType' | 'body'>) => boolean
  onAttempt: (delivery: Delivery) => void
}

/**
 * Delivers notifications as Cloudinary does: with a signature over the exact bytes, at least once, in no
 * order. Retries unless the response is 200 within the timeout.
 * Source: https://cloudinary.com/documentation/notifications
 */
export class Notifier {
  readonly deliveries: Recorder<Delivery>
  readonly #options: NotifierOptions
  readonly #inFlight = new Set<AbortController>()
  readonly #pauses = new Map<NodeJS.Timeout, () => void>()
  #queued: (() => void)[] = []
  #busy = 0
  #pending = 0
  #idleWaiters: (() => void)[] = []
  #stopped = false

  constructor(options: NotifierOptions) {
    this.#options = options
    this.deliveries = new Recorder(options.maxRecords)
  }

  /**
   * Signs a body and delivers it once to each URL of the cloud's triggers (assumption: Cloudinary does not
   * document it). With the notification URL of a call, delivers it there and to additive triggers only.
   *
   * @returns the last attempt at the first URL; undefined if there was none
   */
  async send(cloud: Cloud, body: string | Uint8Array, url?: string): Promise<Delivery | undefined> {
    const text = Buffer.from(body as string).toString()
    const triggers = cloud.triggers.for(typeOf(text), text)
    const uris = triggers.filter(({ additive }) => url === undefined || additive).map(({ uri }) => uri)
    return this.sendTo([...(url === undefined ? [] : [url]), ...uris], cloud, body)
  }

  /** Like `send`, to these URLs only. */
  async sendTo(
    urls: readonly string[],
    cloud: Cloud,
    body: string | Uint8Array
  ): Promise<Delivery | undefined> {
    const bytes = Buffer.from(body as string)
    const targets = new Set(urls)
    this.#pending += targets.size
    // the response to the call that made the change is sent first
    await nextTurn()
    const [first] = await Promise.all(
      [...targets].map(async (target) => {
        const channel = /^poll:\/\/(.*)/.exec(target)?.[1]
        const last =
          this.#drop(cloud, bytes, target) ??
          (channel ? this.#buffer(cloud, bytes, target, channel) : await this.#deliver(cloud, bytes, target))
        this.#pending -= 1
        if (this.#pending === 0) for (const resolve of this.#idleWaiters.splice(0)) resolve()
        return last
      })
    )
    return first
  }

  /** Resolves when no delivery is in flight and no retry is pending. */
  async idle(): Promise<void> {
    if (this.#pending > 0) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve))
  }

  /** Aborts deliveries in flight and cancels retries. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const start of this.#queued.splice(0)) start()
    for (const controller of this.#inFlight) controller.abort(new Error('the stand-in was stopped'))
    for (const [timer, resolve] of this.#pauses) {
      clearTimeout(timer)
      resolve()
    }
    await this.idle()
  }

  /** Buffers a notification in a poll channel. */
  #buffer(cloud: Cloud, bytes: Buffer, url: string, channel: string): Delivery {
    const headers = this.#sign(cloud, bytes)
    const body = bytes.toString()
    const about = { cloud: cloud.name, url, notificationType: typeOf(body), body, headers, attempt: 1 }
    const delivery: Delivery = { ...this.#newAttempt(), ...about, outcome: 'buffered' }
    cloud.channels.push(channel, {
      body: bytes,
      signature: headers['x-cld-signature'],
      timestamp: headers['x-cld-timestamp']
    })
    this.deliveries.add(delivery)
    this.deliveries.settle(delivery)
    this.#options.onAttempt(delivery)
    return delivery
  }

  async #deliver(cloud: Cloud, bytes: Buffer<ArrayBuffer>, url: string): Promise<Delivery | undefined> {
    const body = bytes.toString()
    const notificationType = typeOf(body)
    let headers: Record<string, string> = this.#sign(cloud, bytes)
    let last: Delivery | undefined
    for (let attempt = 1; !this.#stopped; attempt += 1) {
      if (!(await this.#acquire())) return last
      last = { ...this.#newAttempt(), cloud: cloud.name, url, notificationType, body, headers, attempt }
      this.deliveries.add(last)
      await this.#post(last, bytes)
      this.#release()
      const pause = this.#options.retryDelaysMs[attempt - 1]
      if (last.status === 200) last.outcome = 'delivered'
      else if (pause === undefined || this.#stopped) last.outcome = 'given_up'
      else Object.assign(last, { outcome: 'will_retry', retryInMs: pause })
      this.deliveries.settle(last)
      this.#options.onAttempt(last)
      if (last.retryInMs === null) return last
      await this.#pause(last.retryInMs)
      if (this.#options.resign) headers = this.#sign(cloud, bytes)
    }
    return last
  }

  /** Waits until an attempt may start. Returns false if the notifier was stopped meanwhile. */
  async #acquire(): Promise<boolean> {
    if (this.#busy >= this.#options.concurrency) {
      await new Promise<void>((resolve) => this.#queued.push(resolve))
    } else this.#busy += 1
    return !this.#stopped
  }

  /** Ends an attempt, and starts the next queued one. */
  #release(): void {
    const next = this.#queued.shift()
    if (next) next()
    else this.#busy -= 1
  }

  #newAttempt(): Pick<Delivery, 'time' | 'status' | 'outcome' | 'retryInMs'> {
    return { time: this.#options.clock(), status: null, outcome: 'under_way', retryInMs: null }
  }

  /** Gives up a notification without an attempt if `isDropped`. */
  #drop(cloud: Cloud, bytes: Buffer, url: string): Delivery | undefined {
    const body = bytes.toString()
    const notification = { cloud: cloud.name, url, notificationType: typeOf(body), body }
    if (!this.#options.isDropped?.(notification)) return undefined
    const about = { ...notification, headers: {}, attempt: 0, error: 'dropped on demand' }
    const delivery: Delivery = { ...this.#newAttempt(), ...about, outcome: 'given_up' }
    this.deliveries.add(delivery)
    this.deliveries.settle(delivery)
    return delivery
  }

  #sign(cloud: Cloud, bytes: Buffer) {
    const key = { apiSecret: cloud.own.apiSecret, algorithm: this.#options.algorithm }
    return {
      'content-type': 'application/json; charset=utf-8',
      'user-agent': 'Cloudinary',
      ...signatureHeaders(bytes, key, Math.floor(this.#options.clock() / 1000))
    }
  }

  async #post(delivery: Delivery, body: Buffer<ArrayBuffer>): Promise<void> {
    const { timeoutMs } = this.#options
    const controller = new AbortController()
    const timer = setTimeout(() => controller.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
    this.#inFlight.add(controller)
    try {
      const response = await fetch(delivery.url, {
        method: 'POST',
        headers: delivery.headers,
        body,
        redirect: 'manual',
        signal: controller.signal
      })
      // a connection is reused only if its response was read completely
      await response.arrayBuffer()
      delivery.status = response.status
    } catch (error) {
      delivery.error = reasonOf(error)
    } finally {
      clearTimeout(timer)
      this.#inFlight.delete(controller)
    }
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#pauses.delete(timer)
        resolve()
      }, ms)
      this.#pauses.set(timer, resolve)
    })
  }
}

function typeOf(body: string): string | null {
  try {
    const type: unknown = JSON.parse(body)?.notification_type
    return typeof type === 'string' ? type : null
  } catch {
    return null
  }
}

/** `fetch` reports only "fetch failed"; the reason is in the cause. */
function reasonOf(error: unknown): string {
  const { cause = error } = error as Error
  const { code, message } = cause as NodeJS.ErrnoException
  return code ?? message
}
