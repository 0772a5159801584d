import type { Config } from '../config.ts'
import { ListenerError } from '../errors.ts'
import type { AssetEvent } from '../ingest/event.ts'
import type { Logger } from '../logger.ts'
import type { DeadLetter, Processor } from '../processor.ts'
import { unlessAborted } from '../unless-aborted.ts'

/** Time-out of a hook, in milliseconds. */
const TIMEOUT_MS = 10_000

/** Maximum number of hooks in progress. Others are skipped: a hook must not use up the worker's memory. */
const MAX_HOOKS = 100

export interface DeadLetterHooksOptions {
  processors: readonly Processor[]
  /** Includes the variables that the processors require. */
  config: Config
  log: Logger
  /** Time-out of a hook, in milliseconds. (Default: {@link TIMEOUT_MS}) */
  timeoutMs?: number
  /** Maximum number of hooks in progress. (Default: {@link MAX_HOOKS}) */
  maximumHooks?: number
}

/**
 * Calls the `deadLettered` of processors. They run in the background, and a failure is only logged,
 * because they must not change or delay the outcome of an event.
 */
export class DeadLetterHooks {
  readonly #options: Required<DeadLetterHooksOptions>
  #running = 0

  constructor(options: DeadLetterHooksOptions) {
    this.#options = { timeoutMs: TIMEOUT_MS, maximumHooks: MAX_HOOKS, ...options }
  }

  /** Calls the hook of each processor that has one. Returns at once and never throws. */
  call(event: AssetEvent, letter: DeadLetter): void {
    for (const processor of this.#options.processors) {
      if (processor.deadLettered) void this.#run(processor, event, letter)
    }
  }

  async #run(processor: Processor, event: AssetEvent, letter: DeadLetter): Promise<void> {
    const { config, timeoutMs, maximumHooks } = this.#options
    const log = this.#options.log.child({ processor: processor.name, eventId: event.id })
    if (this.#running >= maximumHooks) {
      log.warn({ running: this.#running }, 'dead letter hook skipped: too many in progress')
      return
    }
    this.#running++
    // not `AbortSignal.timeout`, which would keep the event in memory until the timeout
    const timeUp = new AbortController()
    const timer = setTimeout(() => {
      timeUp.abort(new ListenerError('HOOK_TIMEOUT', `\`deadLettered\` timed out after ${timeoutMs} ms`))
    }, timeoutMs)
    const { signal } = timeUp
    try {
      await unlessAborted(
        // a hook may throw before it returns a promise
        (async () => processor.deadLettered?.(event, letter, { config, log, signal }))(),
        signal
      )
    } catch (err) {
      log.error({ err }, 'dead letter hook failed')
    } finally {
      clearTimeout(timer)
      this.#running--
    }
  }
}
