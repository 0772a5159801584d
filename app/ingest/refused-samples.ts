import type { RefusedSample } from '../activity/activity-store.ts'
import type { Logger } from '../logger.ts'
import type { SignatureHeaders } from './signature.ts'

/** A refused notification. Anyone can send one. */
export interface Refusal {
  code: string
  headers: SignatureHeaders
  /** Length of the body; undefined if it was not read. */
  bytes?: number
}

export interface RefusedSamplesOptions {
  /** Stores a sample. */
  put: (sample: RefusedSample) => Promise<void>
  log: Logger
  /** Milliseconds since the epoch. */
  clock: () => number
}

/** Minimum time between two samples with the same code, in milliseconds. */
const PERIOD_MS = 10_000

/** Minimum time between two logs of failed writes, in milliseconds. */
const LOG_PERIOD_MS = 60_000

/**
 * Samples refused notifications for the activity page: time, reason and the form of the headers, but no
 * values and no body. Never waits, and writes one sample at a time.
 */
export class RefusedSamples {
  readonly #options: RefusedSamplesOptions
  readonly #offeredAt = new Map<string, number>()
  #loggedAt = Number.NEGATIVE_INFINITY
  #writing: Promise<void> | undefined

  constructor(options: RefusedSamplesOptions) {
    this.#options = options
  }

  offer({ code, headers, bytes }: Refusal): void {
    const now = this.#options.clock()
    const isTooSoon = now - (this.#offeredAt.get(code) ?? Number.NEGATIVE_INFINITY) < PERIOD_MS
    if (isTooSoon || this.#writing) return
    this.#offeredAt.set(code, now)
    const at = new Date(now).toISOString()
    const sample = { at, code, headers: formsOf(headers), ...(bytes !== undefined && { bytes }) }
    this.#writing = this.#write(sample).finally(() => {
      this.#writing = undefined
    })
  }

  /** Resolves when no write is in progress. */
  async idle(): Promise<void> {
    await this.#writing
  }

  async #write(sample: RefusedSample): Promise<void> {
    const { put, log, clock } = this.#options
    try {
      await put(sample)
    } catch (err) {
      if (clock() - this.#loggedAt < LOG_PERIOD_MS) return
      this.#loggedAt = clock()
      log.warn({ err }, 'refused sample not written')
    }
  }
}

function formsOf({ signature, timestamp, signatureV2 }: SignatureHeaders): Record<string, string> {
  return {
    ...(signature !== undefined && { 'X-Cld-Signature': formOf(signature) }),
    ...(timestamp !== undefined && { 'X-Cld-Timestamp': formOf(timestamp) }),
    ...(signatureV2 !== undefined && { 'X-Cld-Signature_v2': formOf(signatureV2) })
  }
}

function formOf(value: string): string {
  if (value === '') return 'empty'
  const kind = /^\d+$/.test(value)
    ? 'digits'
    : /^[0-9a-f]+$/i.test(value)
      ? 'hexadecimal digits'
      : 'characters'
  return `${value.length} ${kind}`
}
