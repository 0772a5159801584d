import { totalmem } from 'node:os'
import { constrainedMemory } from 'node:process'
import { getHeapStatistics } from 'node:v8'
import { BodyBudget } from './body-budget.ts'

/** Limits of all concurrent requests together. */
export interface WebLimits {
  /** Bodies that are being received. Their senders are not verified yet. */
  reading: BodyBudget
  /** Bodies from the signature check until SQS has stored their events. */
  storing: BodyBudget
  connections: number
  /**
   * Maximum mean delay of the event loop in one second. Above it, requests of the next second are refused.
   */
  eventLoopDelayMs: number
}

/**
 * Maximum memory of a connection with a pending request, in bytes. Measured: 15 KiB with 14 KiB of headers.
 */
const CONNECTION_BYTES = 32 * 1024

/**
 * Divides the memory of the task: 1/4 for receiving large bodies, 1/8 for small ones, 1/16 for connections,
 * and up to 3/8 for storing. The rest is for the process itself, which takes up to 160 MB, and for SQS.
 *
 * An authentic body is parsed and encoded in the heap, where it takes up to 5.5 times its size until it is
 * stored (measured with bodies of 10 MiB). V8 limits the heap to half of a small task's memory, so each
 * storing budget of 1/16 of the heap can use up to 3/16 of the task's memory (there is one for large and one
 * for small bodies).
 *
 * @param memoryBytes default: the memory limit of the container, or the memory of the machine
 * @param heapBytes default: V8's heap limit
 */
export function createLimits(
  memoryBytes = Math.min(...[constrainedMemory(), totalmem()].filter(Boolean)),
  heapBytes = getHeapStatistics().heap_size_limit
): WebLimits {
  return {
    reading: new BodyBudget({ large: memoryBytes / 4, small: memoryBytes / 8 }),
    storing: new BodyBudget({ large: heapBytes / 16, small: heapBytes / 16 }),
    connections: Math.floor(memoryBytes / 16 / CONNECTION_BYTES),
    eventLoopDelayMs: 1000
  }
}
