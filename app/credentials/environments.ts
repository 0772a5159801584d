import { isDeepStrictEqual } from 'node:util'
import { ListenerError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { CloudinaryEnvironment } from './cloudinary-url.ts'
import type { SecretSource, SecretVersions } from './secret-source.ts'

export interface EnvironmentsOptions {
  source: SecretSource
  log: Logger
  /** Milliseconds; only differences count, so the default is a clock that is never set back. */
  clock?: () => number
  /** How often the background reads the source again. */
  refreshIntervalMs?: number
  /** The least time from one read to another that a failed signature causes. */
  minimumRefreshGapMs?: number
}

const sameSecret = (a: CloudinaryEnvironment, b: CloudinaryEnvironment) =>
  a.cloudName === b.cloudName && a.apiSecret === b.apiSecret

/** The key a cloud is called with: of several the first, so that the others can be there only to verify. */
const callingKey = (environments: readonly CloudinaryEnvironment[], cloudName: string) =>
  environments.find((environment) => environment.cloudName === cloudName)

/**
 * The Cloudinary environments this listener serves, and their keys, kept up to date while keys are rotated.
 *
 * A key is rotated without losing a notification: whatever was signed before is verified by the secret's
 * earlier value, and the first notification signed with a key not known here has the secret read again.
 */
export class Environments {
  readonly #source: SecretSource
  readonly #log: Logger
  readonly #clock: () => number
  readonly #refreshIntervalMs: number
  readonly #minimumRefreshGapMs: number

  #versions: SecretVersions = { current: [], previous: [] }
  /** Replaced only if its content changes, so its identity tells whether it did. */
  #keys: readonly CloudinaryEnvironment[] = []
  #lastReadStartedAt = Number.NEGATIVE_INFINITY
  #refreshing: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: EnvironmentsOptions) {
    this.#source = options.source
    this.#log = options.log
    this.#clock = options.clock ?? (() => performance.now())
    this.#refreshIntervalMs = options.refreshIntervalMs ?? 300_000
    this.#minimumRefreshGapMs = options.minimumRefreshGapMs ?? 30_000
  }

  /** The first read; nothing is known before it. Throws what the source throws. */
  async load(): Promise<void> {
    await this.#read()
  }

  /**
   * Every key that may verify a notification: those of the secret's current value, then those of its earlier
   * one. A secret that is in both is there once, as the current value has it, with its `signatureAlgorithm`.
   */
  verificationKeys(): readonly CloudinaryEnvironment[] {
    return this.#keys
  }

  /** The clouds there are credentials to call. */
  cloudNames(): string[] {
    return [...new Set(this.#versions.current.map(({ cloudName }) => cloudName))]
  }

  /**
   * The credentials to call a cloud with: its first entry in the secret's current value.
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
        `(there are for: ${known.join(', ') || 'none'}). Add its cloudinary:// URL to the secret.`
    )
  }

  /**
   * True if the listener itself calls this cloud with this API key, or did before the last rotation. A key
   * that is there only to verify belongs to somebody else.
   */
  isOwnKey(cloudName: string, apiKey: string): boolean {
    const { current, previous } = this.#versions
    return [current, previous].some((environments) => callingKey(environments, cloudName)?.apiKey === apiKey)
  }

  /**
   * Reads the source again. Never throws: if it cannot be read, what is known stays in use and a warning is
   * logged. Calls made during a read share it.
   */
  refresh(reason: string): Promise<void> {
    if (this.#source.fixed) return Promise.resolve()
    this.#refreshing ??= this.#refresh(reason).finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  /**
   * To be called when no key verifies a notification, since it may be signed with one that is newer than the
   * last read. Anybody can send such a notification, so it reads at most once in `minimumRefreshGapMs`,
   * counted from the start of a read: what was rotated in before that, the read has seen.
   *
   * @returns true if the keys have changed, so that verifying again is worthwhile
   */
  async refreshAfterFailedSignature(): Promise<boolean> {
    const before = this.#keys
    const tooSoon = this.#clock() - this.#lastReadStartedAt < this.#minimumRefreshGapMs
    if (this.#refreshing || !tooSoon) await this.refresh('a signature that no key verifies')
    return this.#keys !== before
  }

  /**
   * Refreshes every `refreshIntervalMs`, without keeping the process alive, until `stop()`.
   *
   * @param refreshed called after each, whether or not anything has changed
   */
  startBackgroundRefresh(refreshed?: () => void): void {
    if (this.#source.fixed) return
    const refresh = () => this.refresh('the refresh interval').then(() => refreshed?.())
    this.#timer ??= setInterval(refresh, this.#refreshIntervalMs).unref()
  }

  /** Ends the background refresh; a read under way is left to finish. */
  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  async #refresh(reason: string): Promise<void> {
    const before = this.#keys
    try {
      await this.#read()
    } catch (err) {
      this.#log.warn({ err, reason }, 'the secret could not be read again; the known keys stay in use')
      return
    }
    if (this.#keys !== before) {
      const clouds = [...new Set(this.#keys.map(({ cloudName }) => cloudName))]
      this.#log.info(
        { reason, clouds, keys: this.#keys.length },
        'the keys that verify notifications have changed'
      )
    }
  }

  async #read(): Promise<void> {
    this.#lastReadStartedAt = this.#clock()
    this.#versions = await this.#source.read()
    const { current, previous } = this.#versions
    const keys: CloudinaryEnvironment[] = []
    for (const environment of [...current, ...previous]) {
      if (!keys.some((key) => sameSecret(key, environment))) keys.push(environment)
    }
    if (!isDeepStrictEqual(keys, this.#keys)) this.#keys = keys
  }
}
