import { isDeepStrictEqual } from 'node:util'
import { ListenerError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { CloudinaryEnvironment } from './cloudinary-url.ts'
import type { SecretSource, SecretVersions } from './secret-source.ts'

export interface EnvironmentsOptions {
  source: SecretSource
  log: Logger
  /** Monotonic clock, in milliseconds. */
  clock?: () => number
  /** Interval of the background refresh, in milliseconds. (Default: 5 minutes) */
  refreshIntervalMs?: number
  /**
   * Minimum time between the starts of two reads, if the second one is caused by a failed signature or by an
   * API key that an earlier read did not find, in milliseconds. (Default: 30 s)
   */
  minimumRefreshGapMs?: number
}

/**
 * Maximum number of API keys of other systems to remember. A forgotten key causes a read when it is seen
 * again.
 */
const MAX_FOREIGN_KEYS = 1000

const sameSecret = (a: CloudinaryEnvironment, b: CloudinaryEnvironment) =>
  a.cloudName === b.cloudName && a.apiSecret === b.apiSecret

/**
 * Returns the first key of a cloud, which the listener uses for calls. Further keys only verify signatures.
 */
const callingKey = (environments: readonly CloudinaryEnvironment[], cloudName: string) =>
  environments.find((environment) => environment.cloudName === cloudName)

/**
 * The Cloudinary environments of this listener, with their current keys.
 *
 * Rotating a key loses no notification: the previous value of the secret verifies notifications signed
 * before, and the first notification signed with an unknown key triggers a refresh.
 */
export class Environments {
  readonly #source: SecretSource
  readonly #log: Logger
  readonly #clock: () => number
  readonly #refreshIntervalMs: number
  readonly #minimumRefreshGapMs: number

  #versions: SecretVersions = { current: [], previous: [] }
  /** Replaced only if the content changes, so that references can be compared. */
  #keys: readonly CloudinaryEnvironment[] = []
  #lastReadStartedAt = Number.NEGATIVE_INFINITY
  /** True from the start of a read until it succeeds. */
  #hasFailed = false
  /** Number of reads that succeeded. */
  #reads = 0
  #refreshing: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  /** API keys that the last read caused by them did not find in the source. */
  readonly #foreignKeys = new Set<string>()

  constructor(options: EnvironmentsOptions) {
    this.#source = options.source
    this.#log = options.log
    this.#clock = options.clock ?? (() => performance.now())
    this.#refreshIntervalMs = options.refreshIntervalMs ?? 300_000
    this.#minimumRefreshGapMs = options.minimumRefreshGapMs ?? 30_000
  }

  /** Reads the source for the first time. Throws what the source throws. */
  async load(): Promise<void> {
    await this.#read()
  }

  /**
   * Returns all keys that may verify a notification: first those of the current value of the secret, then
   * those of the previous one. A key in both is listed once, with the `signatureAlgorithm` of the current
   * value.
   */
  verificationKeys(): readonly CloudinaryEnvironment[] {
    return this.#keys
  }

  /** Returns the names of the clouds that the listener has credentials for. */
  cloudNames(): string[] {
    return [...new Set(this.#versions.current.map(({ cloudName }) => cloudName))]
  }

  /**
   * Returns the credentials for calls to a cloud: its first entry in the current value of the secret.
   *
   * @throws {ListenerError} `ENVIRONMENT_UNKNOWN`
   */
  get(cloudName: string): CloudinaryEnvironment {
    const environment = callingKey(this.#versions.current, cloudName)
    if (environment) return environment
    const known = this.cloudNames()
    throw new ListenerError(
      'ENVIRONMENT_UNKNOWN',
      `There are no credentials for the Cloudinary environment "${cloudName}" ` +
        `(known: ${known.join(', ') || 'none'}). Add its cloudinary:// URL to the secret.`
    )
  }

  /**
   * Returns whether the listener calls this cloud with this API key, or called it with this key before the
   * last rotation. A key that only verifies signatures belongs to another system.
   */
  isOwnKey(cloudName: string, apiKey: string): boolean {
    const { current, previous } = this.#versions
    return [current, previous].some((environments) => callingKey(environments, cloudName)?.apiKey === apiKey)
  }

  /**
   * Like `isOwnKey`, but reads the source if the key is not one of the listener's: another worker may already
   * call Cloudinary with a key that was rotated in after the last read. Reads at once if the key is new to
   * this process. If the key is known to belong to another system, or the last read failed, reads at most
   * once per `minimumRefreshGapMs`. A key of another system may become the listener's later: someone may use
   * the key before it is in the secret, or before the secret's replica in this region has it.
   */
  async recognizesKey(cloudName: string, apiKey: string): Promise<boolean> {
    if (this.isOwnKey(cloudName, apiKey)) return true
    if (this.#source.fixed) return false
    const key = `${cloudName} ${apiKey}`
    if ((this.#foreignKeys.has(key) || this.#hasFailed) && this.#isReadTooSoon) return false
    const readsBefore = this.#reads
    await this.refresh('unknown API key')
    if (this.isOwnKey(cloudName, apiKey)) return true
    if (this.#foreignKeys.size >= MAX_FOREIGN_KEYS) this.#foreignKeys.clear()
    if (this.#reads > readsBefore) this.#foreignKeys.add(key)
    return false
  }

  /**
   * Reads the source again. Concurrent calls share one read. Never throws: if the read fails, logs a warning
   * and keeps the known keys.
   */
  refresh(reason: string): Promise<void> {
    if (this.#source.fixed) return Promise.resolve()
    this.#refreshing ??= this.#refresh(reason).finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  /**
   * Refreshes after no key has verified a notification: a new key may have been rotated in since the last
   * read. Anybody can send such a notification, so reads at most once per `minimumRefreshGapMs`, counted from
   * the start of a read.
   *
   * @returns whether the keys have changed
   */
  async refreshAfterFailedSignature(): Promise<boolean> {
    const before = this.#keys
    if (this.#refreshing || !this.#isReadTooSoon) await this.refresh('unverified signature')
    return this.#keys !== before
  }

  /**
   * Refreshes every `refreshIntervalMs` until `stop()`. Does not keep the process alive.
   *
   * @param onRefresh called after each refresh, whether or not the keys have changed
   */
  startBackgroundRefresh(onRefresh?: () => void): void {
    if (this.#source.fixed) return
    const refresh = () => this.refresh('interval').then(() => onRefresh?.())
    this.#timer ??= setInterval(refresh, this.#refreshIntervalMs).unref()
  }

  /** Stops the background refresh. A read in progress continues. */
  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  async #refresh(reason: string): Promise<void> {
    const before = this.#keys
    try {
      await this.#read()
    } catch (err) {
      this.#log.warn({ err, reason }, 'secret refresh failed; keeping the known keys')
      return
    }
    if (this.#keys !== before) {
      const clouds = [...new Set(this.#keys.map(({ cloudName }) => cloudName))]
      this.#log.info({ reason, clouds, keys: this.#keys.length }, 'verification keys changed')
    }
  }

  get #isReadTooSoon(): boolean {
    return this.#clock() - this.#lastReadStartedAt < this.#minimumRefreshGapMs
  }

  async #read(): Promise<void> {
    this.#lastReadStartedAt = this.#clock()
    this.#hasFailed = true
    this.#versions = await this.#source.read()
    this.#hasFailed = false
    this.#reads++
    const { current, previous } = this.#versions
    const keys: CloudinaryEnvironment[] = []
    for (const environment of [...current, ...previous]) {
      if (!keys.some((key) => sameSecret(key, environment))) keys.push(environment)
    }
    if (!isDeepStrictEqual(keys, this.#keys)) this.#keys = keys
  }
}
