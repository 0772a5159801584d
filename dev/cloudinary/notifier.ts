import { setImmediate as nextTurn } from 'node:timers/promises'
import { signatureHeaders } from '../../app/testing/sign.ts'
import type { Cloud } from './cloud.ts'
import { Recorder } from './recorder.ts'
import type { SignatureAlgorithm } from './request-signature.ts'

/** One attempt to deliver a notification. */
export interface Delivery {
  /** Unix time in milliseconds at which the attempt began. */
  time: number
  cloud: string
  url: string
  /** Null where the body does not say. */
  notificationType: string | null
  /** Exactly what was sent, as text. */
  body: string
  headers: Record<string, string>
  /** 1 for the first; 0 where it was given up without one. */
  attempt: number
  /** The answer's status; null while there is none. */
  status: number | null
  /** Why there was no answer. */
  error?: string
  outcome: 'under_way' | 'delivered' | 'will_retry' | 'given_up' | 'buffered'
  /** Milliseconds until the next attempt, where there is one. */
  retryInMs: number | null
}

export interface NotifierOptions {
  algorithm: SignatureAlgorithm
  /** The pause before each further attempt; as many further attempts as there are pauses. */
  retryDelaysMs: number[]
  timeoutMs: number
  /** How many attempts may be under way at once; the others wait for their turn. */
  concurrency: number
  /** Sign each attempt anew, with the time of that attempt. */
  resign: boolean
  clock: () => number
  maxRecords: number
  /** Notifications for which it is true are given up without an attempt. */
  isDropped?: (notification: Pick<Delivery, 'cloud' | 'url' | 'notificationType' | 'body'>) => boolean
  onAttempt: (delivery: Delivery) => void
}

/**
 * Delivers notifications as Cloudinary does: signed over the exact bytes, at least once, in no order;
 * anything but exactly 200 within the time-out is a failure and is tried again.
 * Source: https://cloudinary.com/documentation/notifications
 */
export class Notifier {
  readonly deliveries: Recorder<Delivery>
  readonly #options: NotifierOptions
  readonly #underWay = new Set<AbortController>()
  readonly #pauses = new Map<NodeJS.Timeout, () => void>()
  #waiting: (() => void)[] = []
  #busy = 0
  #pending = 0
  #idleWaiters: (() => void)[] = []
  #stopped = false

  constructor(options: NotifierOptions) {
    this.#options = options
    this.deliveries = new Recorder(options.maxRecords)
  }

  /**
   * Signs a body and delivers it wherever the cloud's triggers say, once to each place (assumed). If a call names a URL of
   * its own, it goes there, and beside it only to triggers that are additive.
   *
   * @returns the last attempt at the first place, undefined if there was none
   */
  async send(cloud: Cloud, body: string | Uint8Array, url?: string): Promise<Delivery | undefined> {
    const text = Buffer.from(body as string).toString()
    const triggers = cloud.triggers.for(typeOf(text), text)
    const uris = triggers.filter(({ additive }) => url === undefined || additive).map(({ uri }) => uri)
    return this.sendTo([...(url === undefined ? [] : [url]), ...uris], cloud, body)
  }

  /** As `send`, to these places and no others. */
  async sendTo(
    urls: readonly string[],
    cloud: Cloud,
    body: string | Uint8Array
  ): Promise<Delivery | undefined> {
    const bytes = Buffer.from(body as string)
    const places = new Set(urls)
    this.#pending += places.size
    // The call that made the change is answered first.
    await nextTurn()
    const [first] = await Promise.all(
      [...places].map(async (place) => {
        const channel = /^poll:\/\/(.*)/.exec(place)?.[1]
        const last =
          this.#drop(cloud, bytes, place) ??
          (channel ? this.#buffer(cloud, bytes, place, channel) : await this.#deliver(cloud, bytes, place))
        this.#pending -= 1
        if (this.#pending === 0) for (const resolve of this.#idleWaiters.splice(0)) resolve()
        return last
      })
    )
    return first
  }

  /** Resolves when no delivery is under way and no retry is pending. */
  async idle(): Promise<void> {
    if (this.#pending > 0) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve))
  }

  /** Breaks off what is under way and drops what was to be tried again. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const proceed of this.#waiting.splice(0)) proceed()
    for (const controller of this.#underWay) controller.abort(new Error('the stand-in was stopped'))
    for (const [timer, resolve] of this.#pauses) {
      clearTimeout(timer)
      resolve()
    }
    await this.idle()
  }

  /** Puts it where the receiver fetches it. */
  #buffer(cloud: Cloud, bytes: Buffer, url: string, channel: string): Delivery {
    const headers = this.#sign(cloud, bytes)
    const body = bytes.toString()
    const about = { cloud: cloud.name, url, notificationType: typeOf(body), body, headers, attempt: 1 }
    const delivery: Delivery = { ...this.#begin(), ...about, outcome: 'buffered' }
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
      if (!(await this.#takeTurn())) return last
      last = { ...this.#begin(), cloud: cloud.name, url, notificationType, body, headers, attempt }
      this.deliveries.add(last)
      await this.#post(last, bytes)
      this.#endTurn()
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

  /** Waits until an attempt may begin. False if the stand-in was stopped meanwhile. */
  async #takeTurn(): Promise<boolean> {
    if (this.#busy >= this.#options.concurrency) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    } else this.#busy += 1
    return !this.#stopped
  }

  /** Ends an attempt; whoever waits next takes over its turn. */
  #endTurn(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#busy -= 1
  }

  #begin(): Pick<Delivery, 'time' | 'status' | 'outcome' | 'retryInMs'> {
    return { time: this.#options.clock(), status: null, outcome: 'under_way', retryInMs: null }
  }

  /** Gives up without an attempt, if that is asked for. */
  #drop(cloud: Cloud, bytes: Buffer, url: string): Delivery | undefined {
    const body = bytes.toString()
    const notification = { cloud: cloud.name, url, notificationType: typeOf(body), body }
    if (!this.#options.isDropped?.(notification)) return undefined
    const about = { ...notification, headers: {}, attempt: 0, error: 'given up on demand' }
    const delivery: Delivery = { ...this.#begin(), ...about, outcome: 'given_up' }
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
    this.#underWay.add(controller)
    try {
      const response = await fetch(delivery.url, {
        method: 'POST',
        headers: delivery.headers,
        body,
        redirect: 'manual',
        signal: controller.signal
      })
      // Only a connection that was read to the end is kept alive.
      await response.arrayBuffer()
      delivery.status = response.status
    } catch (error) {
      delivery.error = reasonOf(error)
    } finally {
      clearTimeout(timer)
      this.#underWay.delete(controller)
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

/** `fetch` says only "fetch failed"; what failed is in the cause. */
function reasonOf(error: unknown): string {
  const { cause = error } = error as Error
  const { code, message } = cause as NodeJS.ErrnoException
  return code ?? message
}
