import { readFile } from 'node:fs/promises'

/** Memory of a process that is resident, in MB. */
export interface ProcessMemory {
  now: number
  /** The most that it ever was. */
  peak: number
}

/** Asks the kernel (Linux) about a process. @throws {Error} ENOENT when it has ended */
export async function memoryOf(pid: number): Promise<ProcessMemory> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const megabytes = (name: string) =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024) / 1_000_000
  return { now: megabytes('VmRSS'), peak: megabytes('VmHWM') }
}
