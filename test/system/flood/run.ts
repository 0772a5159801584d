import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { memoryOf } from '../../../bench/process-memory.ts'
import { uploads } from '../../../bench/roles/notifications.ts'
import { type InstantStandIns, startInstantStandIns, startRole } from '../../../bench/roles/processes.ts'
import type { Answers, Attack } from './attacker.ts'
import { createCgroup } from './cgroup.ts'
import { Traffic } from './traffic.ts'

/**
 * Floods the web role with unsigned bodies, in a control group with the memory of a default task, while
 * authentic notifications arrive. Exits 1 if web exits, or does not accept authentic notifications again in
 * time.
 */

const TASK_BYTES = 1024 * 2 ** 20
const BODY_BYTES = 10 * 2 ** 20

/**
 * Connections per attack. With the first, web once ran out of memory; with the second, it stayed above its
 * limit.
 */
const ATTACKS = [110, 76]

const ATTACK_MS = 10_000

/** Time after an attack until all authentic notifications must be accepted, in milliseconds. */
const RECOVERY_MS = 15_000

/** Authentic notifications a second. */
const RATE = 10

const [attacks = ATTACKS] = [process.argv.slice(2).map(Number)].filter(({ length }) => length > 0)

async function attack(order: Attack): Promise<Answers> {
  const child = fork(`${import.meta.dirname}/attacker.ts`)
  child.send(order)
  const [answers] = await once(child, 'message')
  child.disconnect()
  return answers as Answers
}

/** Runs an attack. Returns the problem, or undefined. */
async function flood(connections: number, standIns: InstantStandIns): Promise<string | undefined> {
  const cgroup = createCgroup(TASK_BYTES)
  if (!cgroup) console.log('cannot create a cgroup: memory is measured but not limited')
  const web = await startRole('web', standIns, { wrapper: cgroup?.wrapper })
  const { origin, port } = new URL(web.url)
  const memory = async () => {
    const { now, peak } = await memoryOf(web.pid)
    return `${now.toFixed(0)} MB resident, at most ${peak.toFixed(0)}`
  }
  const health = async () =>
    (
      await Promise.all(
        ['health', 'ready'].map((path) =>
          fetch(`${origin}/${path}`).then(({ status }) => `/${path} ${status}`)
        )
      )
    ).join(', ')
  try {
    console.log(
      `\n${connections} connections of ${BODY_BYTES / 2 ** 20} MiB for ${ATTACK_MS / 1000} s; ${await memory()}`
    )
    const traffic = new Traffic(web.url, uploads(RATE * 60, `flood-${connections}`), RATE)
    await pause(2000)
    console.log(`before:       ${traffic.report()}`)
    const answers = await attack({ port: Number(port), connections, bodyBytes: BODY_BYTES, forMs: ATTACK_MS })
    console.log(`the attack:   ${JSON.stringify(answers)}`)
    console.log(`during it:    ${traffic.report()}; ${await memory()}`)
    const end = performance.now()
    let recoveredAfter: number | undefined
    while (performance.now() - end < RECOVERY_MS) {
      await pause(1000)
      const { accepted, others } = traffic.take()
      if (others === 0 && accepted > 0) recoveredAfter ??= performance.now() - end
      else recoveredAfter = undefined
    }
    console.log(`15 s after:   ${await memory()}; ${await health()}`)
    await traffic.stop()
    if (recoveredAfter === undefined)
      return `${connections} connections: authentic notifications are not accepted`
    console.log(
      `accepts every authentic notification ${(recoveredAfter / 1000).toFixed(0)} s after the attack`
    )
    const limit = TASK_BYTES / 1e6
    if ((await memoryOf(web.pid)).peak > limit)
      return `${connections} connections: more than ${limit.toFixed(0)} MB resident`
    return undefined
  } catch (error) {
    return `${connections} connections: web exited (${(error as Error).message})`
  } finally {
    await web.stop()
    await cgroup?.remove()
  }
}

const standIns = await startInstantStandIns()
const problems: string[] = []
for (const connections of attacks) {
  const problem = await flood(connections, standIns)
  if (problem) problems.push(problem)
}
await standIns.stop()
for (const problem of problems) console.error(`BROKEN  ${problem}`)
process.exit(problems.length > 0 ? 1 : 0)
