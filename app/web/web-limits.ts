import { totalmem } from 'node:os'
import { constrainedMemory } from 'node:process'
import { getHeapStatistics } from 'node:v8'
import { BodyBudget } from './body-budget.ts'

/** What requests may hold at a time. */
export interface Limits {
  /** Bodies while they come in. Their senders are not verified. */
  reading: BodyBudget
  /** Bodies from the check of the signature until SQS has stored their events. */
  storing: BodyBudget
  connections: number
  /** Mean delay of the event loop, in a second, above which the next second's requests are refused. */
  eventLoopDelayMs: number
}

/** Of a connection with a request that is not answered, at most, in bytes: 15 KiB with 14 KiB of headers, measured. */
const CONNECTION_BYTES = 32 * 1024

/**
 * Divides the memory of the task: 1/4 for large bodies that come in, 1/8 for small ones, 1/16 for connections, and up to 3/8
 * for what is being stored. The rest is for the process itself, which takes 130 MB, and for SQS.
 *
 * An authentic body is parsed and encoded, in the heap, and takes up to 5.5 times its size there until it is stored,
 * measured with bodies of 10 MiB; V8 limits the heap to half of a small task's memory. So 1/16 of the heap is 3/16 of
 * the task's memory, for large bodies and for small ones each.
 *
 * @param memoryBytes default: of the container, or of the machine where that has no limit
 * @param heapBytes default: what V8 limits its heap to
 */
export function createLimits(
  memoryBytes = Math.min(...[constrainedMemory(), totalmem()].filter(Boolean)),
  heapBytes = getHeapStatistics().heap_size_limit
): Limits {
  return {
    reading: new BodyBudget({ large: memoryBytes / 4, small: memoryBytes / 8 }),
    storing: new BodyBudget({ large: heapBytes / 16, small: heapBytes / 16 }),
    connections: Math.floor(memoryBytes / 16 / CONNECTION_BYTES),
    eventLoopDelayMs: 1000
  }
}
