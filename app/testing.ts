import type { AssetEvent, EventType } from './ingest/event.ts'
import { type ProcessorRecord, recordNamed } from './journal/processor-record.ts'
import type { Listener, Processor } from './processor.ts'
import type { Sample } from './testing/sample-body.ts'
import { TestListener, type TestListenerOptions, type TestResult } from './testing/test-listener.ts'

export type { CloudinaryCall } from './testing/fake-cloudinary.ts'
export { FakeCloudinary } from './testing/fake-cloudinary.ts'
export type { DeadLetter } from './testing/memory-queue.ts'
export type { Sample } from './testing/sample-body.ts'
export type { TestedEvent, TestListenerOptions, TestResult } from './testing/test-listener.ts'
export { TestListener } from './testing/test-listener.ts'
export type { LogLine } from './testing/test-wiring.ts'

/** The sample event, and what is fake around the processor. */
export type ProcessorTest<Type extends EventType> = Omit<Sample<Type>, 'count'> &
  Omit<TestListenerOptions, 'state'> & {
    /** What the processor remembers already: values by key. */
    state?: Record<string, unknown>
  }

/**
 * How one run of a processor ended: as the journal records it, or `ignored` where the processor is not run.
 */
export type ProcessorResult = (ProcessorRecord | { outcome: 'ignored'; reason: string }) &
  Pick<TestResult, 'calls' | 'deadLetters' | 'log'> & {
    event: AssetEvent
    /** What the processor remembers now: values by key. */
    state: Record<string, unknown>
  }

/**
 * Runs a processor once for a sample event, between its `start` and its `stop`.
 *
 * @throws {ListenerError} SAMPLE_UNKNOWN, LISTENER_CONFIG_INVALID; CONFIG_INVALID for variables that it
 *   requires and that are not given; what its `start` throws
 */
export async function testProcessor<Type extends EventType>(
  processor: Processor,
  type: Type,
  options: ProcessorTest<Type> = {}
): Promise<ProcessorResult> {
  const { cloudinary, state = {}, now, variables, random, ...sample } = options
  const { name } = processor
  const listener = testListener(
    { processors: [processor] },
    {
      state: { [name]: state },
      ...(cloudinary && { cloudinary }),
      ...(now && { now }),
      ...(variables && { variables }),
      ...(random && { random })
    }
  )
  try {
    const { events, calls, deadLetters, log } = await listener.send(type, sample as Sample<Type>)
    const { event, reason = '', processors } = events[0]!
    const ended = recordNamed(processors, name) ?? { outcome: 'ignored', reason }
    return { ...ended, event, calls, deadLetters, log, state: listener.state(name) }
  } finally {
    await listener.stop()
  }
}

/**
 * Runs a whole listener in memory, such as the default export of `listener.config.ts`.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID
 */
export const testListener = (listener: Listener, options?: TestListenerOptions): TestListener =>
  new TestListener(listener, options)
