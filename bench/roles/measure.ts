import { cpuSecondsOf } from '../process-cpu.ts'
import { memoryOf } from '../process-memory.ts'

interface Observed {
  pid: number
}

/** CPU time and memory that processes used during a measurement. */
export interface Usage {
  /** CPU time of all measured processes together, in seconds. */
  cpuSeconds: number
  /** CPU time of the stand-ins, in seconds: near `seconds`, they limit what is measured. */
  standInSeconds: number
  /** CPU time of this process, which generates the load, in seconds. */
  loadSeconds: number
  /** Wall time, in seconds. */
  seconds: number
  /** Resident memory of the largest measured process at the end, in MB. */
  memoryMb: number
}

/** Measures processes during some work. */
export async function measure<Result>(
  processes: readonly Observed[],
  standIns: Observed,
  work: () => Promise<Result>
): Promise<{ usage: Usage; result: Result }> {
  const cpu = async () =>
    (await Promise.all(processes.map(({ pid }) => cpuSecondsOf(pid)))).reduce((sum, each) => sum + each, 0)
  const [cpuBefore, standInBefore, start] = [await cpu(), await cpuSecondsOf(standIns.pid), performance.now()]
  const loadBefore = process.cpuUsage()
  const result = await work()
  const load = process.cpuUsage(loadBefore)
  const seconds = (performance.now() - start) / 1000
  const memories = await Promise.all(processes.map(({ pid }) => memoryOf(pid)))
  return {
    result,
    usage: {
      cpuSeconds: (await cpu()) - cpuBefore,
      standInSeconds: (await cpuSecondsOf(standIns.pid)) - standInBefore,
      loadSeconds: (load.user + load.system) / 1e6,
      seconds,
      memoryMb: Math.max(...memories.map(({ now }) => now))
    }
  }
}

/** Returns the middle value, or the mean of the middle two. */
export function median(values: readonly number[]): number {
  const ascending = values.toSorted((a, b) => a - b)
  const middle = ascending.length / 2
  const [low, high] = [ascending[Math.ceil(middle) - 1], ascending[Math.floor(middle)]]
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2
}
