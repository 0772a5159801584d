import { addAbortListener } from 'node:events'
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
import { unlessAborted } from '../unless-aborted.ts'
import { evaluateWhen } from './select-processors.ts'

const DEFAULT_TIMEOUT_SECONDS = 300

/** The outcome of one run of one processor. */
export type ProcessorRun =
  | { outcome: 'succeeded'; processor: string; note: string | undefined; milliseconds: number }
  | { outcome: 'failed'; processor: string; failure: CallFailure; error: unknown; milliseconds: number }

export type FailedRun = Extract<ProcessorRun, { outcome: 'failed' }>

/** Runs one processor for one event. Never throws. */
export async function runProcessor(
  processor: Processor,
  event: AssetEvent,
  context: {
    cloudinary: (signal: AbortSignal) => CloudinaryClient
    config: Config
    log: Logger
    signal: AbortSignal
    state: Pick<StateStore, 'of'>
  }
): Promise<ProcessorRun> {
  const { name } = processor
  const startedAt = performance.now()
  const elapsed = () => Math.round(performance.now() - startedAt)
  try {
    context.signal.throwIfAborted()
    evaluateWhen(processor, event)
    const timeoutSeconds = processor.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS
    const note = await withTimeout(timeoutSeconds, context.signal, (signal) =>
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
    return { outcome: 'failed', processor: name, failure: failureOf(error), error, milliseconds: elapsed() }
  }
}

/** Returns the note to record. A processor in JavaScript may return a value that is not a string. */
function noteOf(returned: unknown): string | undefined {
  if (returned === undefined || returned === null || returned === '') return undefined
  const text = typeof returned === 'string' ? returned : inspect(returned, { customInspect: false, depth: 1 })
  return maskSecrets(text)
}

/** Rejects on the timeout or when the signal aborts, even if the work ignores its signal. */
async function withTimeout<Result>(
  seconds: number,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<Result> | Result
): Promise<Result> {
  // Not `AbortSignal.any`: while such a signal has a listener, Node.js keeps it in memory, and a processor may
  // leave one.
  const run = new AbortController()
  using _following = addAbortListener(outer, () => run.abort(outer.reason))
  const timer = setTimeout(() => {
    run.abort(new ListenerError('PROCESSOR_TIMEOUT', `processor timed out after ${seconds} s`))
  }, seconds * 1000)
  try {
    return await unlessAborted(work(run.signal), run.signal)
  } finally {
    clearTimeout(timer)
  }
}

function failureOf(error: unknown): CallFailure {
  if (error instanceof CloudinaryError) return error.failure
  if (error instanceof RetryLaterError) return { kind: 'retryable', until: error.until }
  return { kind: error instanceof PermanentError ? 'permanent' : 'retryable' }
}
