import { cpuSecondsOf } from '../process-cpu.ts'
import { memoryOf } from '../process-memory.ts'
import type { MeasuredProcess } from './processes.ts'

/** Percentiles of the latency, in milliseconds. */
export interface Latencies {
  p50: number
  p99: number
}

/** Results of one run of a case. */
export interface Figures extends Partial<Latencies> {
  /** Units of work per second. */
  perSecond: number
  /** CPU time of the measured process per unit, in milliseconds. */
  cpuMs: number
  /** CPU time divided by wall time: 1 is one full core. */
  cores: number
  logLines: number
  logBytes: number
  /** Resident memory at the end, in MB. */
  memoryMb: number
}

/** Measures a process during a number of units of work. */
export async function measure(
  { pid, log }: Pick<MeasuredProcess, 'pid' | 'log'>,
  units: number,
  work: () => Promise<Latencies | undefined>
): Promise<Figures> {
  const [cpu, lines, bytes, start] = [await cpuSecondsOf(pid), log.lines, log.bytes, performance.now()]
  const latencies = await work()
  const seconds = (performance.now() - start) / 1000
  const cpuSeconds = (await cpuSecondsOf(pid)) - cpu
  return {
    perSecond: units / seconds,
    cpuMs: (cpuSeconds * 1000) / units,
    cores: cpuSeconds / seconds,
    logLines: (log.lines - lines) / units,
    logBytes: (log.bytes - bytes) / units,
    memoryMb: (await memoryOf(pid)).now,
    ...latencies
  }
}

/** Returns the middle value, or the mean of the middle two. */
export function median(values: readonly number[]): number {
  const ascending = values.toSorted((a, b) => a - b)
  const middle = ascending.length / 2
  const [low, high] = [ascending[Math.ceil(middle) - 1], ascending[Math.floor(middle)]]
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2
}
