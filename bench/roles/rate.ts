import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises'
import { percentile } from '../../dev/send/send-many.ts'

/** Percentiles of the latency, in milliseconds. */
export interface Latencies {
  p50: number
  p99: number
}

/** The responses to a load. Latencies are those of the accepted notifications. */
export interface LoadResult extends Latencies {
  accepted: number
  /** Number of other responses, such as a 503 of an overloaded server. */
  refused: number
}

export interface Rate {
  perSecond: number
  milliseconds: number
}

/**
 * Below this rate, the last part of a wait is spent in turns of the event loop, because timers are up to 1 ms
 * late.
 */
const PRECISE_BELOW = 250
const TIMER_MS = 1.5

/**
 * Sends at a fixed rate, whether or not earlier ones are answered (an open loop). A latency counts from when
 * it was due.
 *
 * @param send returns whether it was accepted
 */
export async function atRate(
  { perSecond, milliseconds }: Rate,
  send: (index: number) => Promise<boolean>
): Promise<LoadResult> {
  const startedAt = performance.now()
  const count = Math.max(1, Math.floor((perSecond * milliseconds) / 1000))
  const latencies: number[] = []
  const failures: unknown[] = []
  const sending: Promise<unknown>[] = []
  for (let index = 0; index < count; index++) {
    const due = startedAt + (index * 1000) / perSecond
    await until(due, perSecond < PRECISE_BELOW)
    const answered = (accepted: boolean) => accepted && latencies.push(performance.now() - due)
    sending.push(send(index).then(answered, (error) => failures.push(error)))
  }
  await Promise.all(sending)
  if (failures.length > 0) throw failures[0]
  return loadResultOf(latencies, count)
}

async function until(due: number, isPrecise: boolean): Promise<void> {
  for (let left = due - performance.now(); left > 0; left = due - performance.now()) {
    if (!isPrecise) await pause(left)
    else if (left > TIMER_MS) await pause(left - TIMER_MS)
    else await turn()
  }
}

/** @param latencies of the accepted notifications */
export function loadResultOf(latencies: readonly number[], sent: number): LoadResult {
  const ascending = latencies.toSorted((a, b) => a - b)
  return {
    p50: percentile(ascending, 0.5),
    p99: percentile(ascending, 0.99),
    accepted: latencies.length,
    refused: sent - latencies.length
  }
}
