import { cpuSecondsOf } from '../process-cpu.ts'
import { memoryOf } from '../process-memory.ts'
import type { Measured } from './processes.ts'

/** Percentiles, in milliseconds. */
export interface Latencies {
  p50: number
  p99: number
}

/** One run of one case. */
export interface Figures extends Partial<Latencies> {
  /** Units of work a second, by the clock. */
  perSecond: number
  /** CPU time of the measured process, in milliseconds, for one unit. */
  cpuMs: number
  /** CPU time in wall time: 1 is one core in full. */
  cores: number
  logLines: number
  logBytes: number
  /** Resident, in MB, at the end. */
  memoryMb: number
}

/** Measures a process while it does so many units of work. */
export async function measure(
  { pid, log }: Pick<Measured, 'pid' | 'log'>,
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

/** The middle value; of an even number, the mean of the middle two. */
export function median(values: readonly number[]): number {
  const ascending = values.toSorted((a, b) => a - b)
  const middle = ascending.length / 2
  const [low, high] = [ascending[Math.ceil(middle) - 1], ascending[Math.floor(middle)]]
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2
}
