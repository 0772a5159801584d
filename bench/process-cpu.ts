import { readFile } from 'node:fs/promises'

/** Unit of CPU time in /proc on Linux, on all architectures of Node.js. */
const TICKS_PER_SECOND = 100

/**
 * Returns the CPU time of a process since its start, in seconds: user and system time of all threads. Linux
 * only.
 *
 * Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 *
 * @throws {Error} ENOENT if it has exited
 */
export async function cpuSecondsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // the second field is the program's name in brackets, which can contain any character
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [utime, stime] = [fields[11], fields[12]]
  return (Number(utime) + Number(stime)) / TICKS_PER_SECOND
}
