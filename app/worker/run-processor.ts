import { inspect } from 'node:util'
import type { CloudinaryClient } from '../cloudinary/client.ts'
import { type CallFailure, CloudinaryError } from '../cloudinary/cloudinary-error.ts'
import type { Config } from '../config.ts'
import { ListenerError, PermanentError, RetryLaterError } from '../errors.ts'
import type { AssetEvent } from '../ingest/event.ts'
import type { StateStore } from '../journal/processor-state.ts'
import type { Logger } from '../logger.ts'
import { maskSecrets } from '../mask.ts'
import type { Processor } from '../processor.ts'

/** How long a processor may take, in seconds, unless it says otherwise. */
const DEFAULT_TIMEOUT_SECONDS = 300

/** Which processors an event is for, or why it is for none. */
export type Selection =
  | { outcome: 'selected'; processors: readonly Processor[] }
  | { outcome: 'ignored'; reason: string }

/** How one run of one processor ended. */
export type Run =
  | { outcome: 'succeeded'; processor: string; note: string | undefined; milliseconds: number }
  | { outcome: 'failed'; processor: string; fault: CallFailure; error: unknown; milliseconds: number }

export type Failure = Extract<Run, { outcome: 'failed' }>

/**
 * Chooses the processors for an event. A change made with the listener's own key is for those alone that ask
 * for own changes, or no processor could change an asset without causing the next event; `eager` results
 * always pass, since they are the answers to our own calls.
 */
export function select(event: AssetEvent, processors: readonly Processor[]): Selection {
  const interested = processors.filter(({ on }) => on.includes('*') || on.includes(event.type))
  if (interested.length === 0) return { outcome: 'ignored', reason: `no processor is on ${event.type}` }
  const allowed =
    event.origin.own && event.type !== 'eager'
      ? interested.filter(({ ownChanges }) => ownChanges)
      : interested
  if (allowed.length === 0) return { outcome: 'ignored', reason: "a change made with the listener's own key" }
  const wanting = allowed.filter((processor) => wants(processor, event))
  if (wanting.length === 0) return { outcome: 'ignored', reason: 'no processor wants it, by its `when`' }
  return { outcome: 'selected', processors: wanting }
}

/** A `when` that fails is the processor's own failure: it is run, and fails again. */
function wants(processor: Processor, event: AssetEvent): boolean {
  try {
    return askWhen(processor, event)
  } catch {
    return true
  }
}

/** @throws {PermanentError} WHEN_INVALID, if it returns no boolean, such as the promise of an async function */
function askWhen({ when }: Processor, event: AssetEvent): boolean {
  if (when === undefined) return true
  const wanted: unknown = when(event)
  if (typeof wanted === 'boolean') return wanted
  // what nobody waits for would end the worker when it rejects
  Promise.resolve(wanted).catch(() => {})
  throw new PermanentError('its `when` must return true or false, and at once: it cannot be async', {
    code: 'WHEN_INVALID'
  })
}

/** Runs one processor for one event. Never throws. */
export async function run(
  processor: Processor,
  event: AssetEvent,
  context: {
    cloudinary: (signal: AbortSignal) => CloudinaryClient
    config: Config
    log: Logger
    signal: AbortSignal
    state: Pick<StateStore, 'of'>
  }
): Promise<Run> {
  const { name } = processor
  const startedAt = performance.now()
  const elapsed = () => Math.round(performance.now() - startedAt)
  try {
    context.signal.throwIfAborted()
    askWhen(processor, event)
    const note = await within(processor.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS, context.signal, (signal) =>
      processor.handle(event, {
        cloudinary: context.cloudinary(signal),
        config: context.config,
        log: context.log.child({ processor: name }),
        signal,
        state: context.state.of(name)
      })
    )
    return { outcome: 'succeeded', processor: name, note: noteOf(note), milliseconds: elapsed() }
  } catch (error) {
    return { outcome: 'failed', processor: name, fault: faultOf(error), error, milliseconds: elapsed() }
  }
}

/** Where types are not checked, a processor may return anything; what is no text is recorded as Node.js prints it. */
function noteOf(returned: unknown): string | undefined {
  if (returned === undefined || returned === null || returned === '') return undefined
  const text = typeof returned === 'string' ? returned : inspect(returned, { customInspect: false, depth: 1 })
  return maskSecrets(text)
}

/** Rejects when the time is up or the signal aborts, whether or not the work heeds the signal it is given. */
async function within<Result>(
  seconds: number,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Result
): Promise<Awaited<Result>> {
  const timeUp = new AbortController()
  const timer = setTimeout(() => {
    timeUp.abort(new ListenerError('PROCESSOR_TIMEOUT', `it did not end within ${seconds} s`))
  }, seconds * 1000)
  const signal = AbortSignal.any([outer, timeUp.signal])
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work(signal), aborted.promise])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}

function faultOf(error: unknown): CallFailure {
  if (error instanceof CloudinaryError) return error.failure
  if (error instanceof RetryLaterError) return { kind: 'retryable', until: error.until }
  return { kind: error instanceof PermanentError ? 'permanent' : 'retryable' }
}
