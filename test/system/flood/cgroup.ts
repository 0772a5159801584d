import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

/** A Linux control group with a memory limit. */
export interface Cgroup {
  /** Command prefix that runs a program in the group. */
  wrapper: readonly string[]
  remove: () => Promise<void>
}

/** Paths of the memory and swap limits, for both versions of cgroups. */
const HIERARCHIES = [
  { directory: '/sys/fs/cgroup', memory: 'memory.max', swap: 'memory.swap.max', noSwap: '0' },
  {
    directory: '/sys/fs/cgroup/memory',
    memory: 'memory.limit_in_bytes',
    swap: 'memory.memsw.limit_in_bytes',
    noSwap: undefined
  }
]

/** Creates a group. Returns undefined if this user or machine cannot. */
export function createCgroup(limitBytes: number): Cgroup | undefined {
  for (const { directory, memory, swap, noSwap } of HIERARCHIES) {
    const group = `${directory}/listener-flood-${process.pid}`
    try {
      mkdirSync(group)
    } catch {
      continue
    }
    try {
      writeFileSync(`${group}/${memory}`, String(limitBytes), { flag: 'r+' })
    } catch {
      rmdirSync(group)
      continue
    }
    try {
      writeFileSync(`${group}/${swap}`, noSwap ?? String(limitBytes), { flag: 'r+' })
    } catch {
      // a kernel without swap has no such file
    }
    return {
      wrapper: ['/bin/sh', '-c', `echo $$ > ${group}/cgroup.procs && exec "$@"`, 'sh'],
      remove: () => removeWhenEmpty(group)
    }
  }
  return undefined
}

/** Retries, because the kernel empties a group a moment after its last process has exited. */
async function removeWhenEmpty(group: string): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    try {
      return rmdirSync(group)
    } catch {
      await pause(100)
    }
  }
}
