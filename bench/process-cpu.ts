import { readFile } from 'node:fs/promises'

/** Linux counts CPU time in hundredths of a second, on every architecture that Node.js runs on. */
const TICKS_PER_SECOND = 100

/**
 * CPU time that a process has taken since it began, in seconds, with that of all its threads: user and system. Asks the
 * kernel (Linux).
 *
 * Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 *
 * @throws {Error} ENOENT when it has ended
 */
export async function cpuSecondsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // the second field is the program's name in brackets, which may hold anything
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [utime, stime] = [fields[11], fields[12]]
  return (Number(utime) + Number(stime)) / TICKS_PER_SECOND
}
