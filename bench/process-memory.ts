import { readFile } from 'node:fs/promises'

/** Resident memory of a process, in MB. */
export interface ProcessMemory {
  now: number
  peak: number
}

/** Reads the memory of a process. Linux only. @throws {Error} ENOENT if it has exited */
export async function memoryOf(pid: number): Promise<ProcessMemory> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const megabytes = (name: string) =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024) / 1_000_000
  return { now: megabytes('VmRSS'), peak: megabytes('VmHWM') }
}
