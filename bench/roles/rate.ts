import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises'
import { percentile } from '../../dev/send/send-many.ts'

/** Percentiles of the latency, in milliseconds. */
export interface Latencies {
  p50: number
  p99: number
}

export interface Rate {
  perSecond: number
  milliseconds: number
}

/** Below this rate, the last part of a wait is spent in turns of the event loop, because timers are up to 1 ms late. */
const PRECISE_BELOW = 250
const TIMER_MS = 1.5

/**
 * Sends at a fixed rate, whether or not earlier ones are answered (an open loop).
 *
 * @returns percentiles of the time from when each was due until it was answered, and their number
 */
export async function atRate(
  { perSecond, milliseconds }: Rate,
  send: (index: number) => Promise<void>
): Promise<Latencies & { count: number }> {
  const startedAt = performance.now()
  const count = Math.max(1, Math.floor((perSecond * milliseconds) / 1000))
  const latencies: number[] = []
  const sending: Promise<unknown>[] = []
  for (let index = 0; index < count; index++) {
    const due = startedAt + (index * 1000) / perSecond
    await until(due, perSecond < PRECISE_BELOW)
    sending.push(send(index).then(() => latencies.push(performance.now() - due)))
  }
  await Promise.all(sending)
  return { ...percentilesOf(latencies), count }
}

async function until(due: number, isPrecise: boolean): Promise<void> {
  for (let left = due - performance.now(); left > 0; left = due - performance.now()) {
    if (!isPrecise) await pause(left)
    else if (left > TIMER_MS) await pause(left - TIMER_MS)
    else await turn()
  }
}

export function percentilesOf(latencies: readonly number[]): Latencies {
  const ascending = latencies.toSorted((a, b) => a - b)
  return { p50: percentile(ascending, 0.5), p99: percentile(ascending, 0.99) }
}
