import { execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { arch, cpus } from 'node:os'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { formatTable } from '../../test/system/chaos/table.ts'
import { cpuSecondsOf } from '../process-cpu.ts'
import { Load } from '../roles/load.ts'
import { median } from '../roles/measure.ts'
import { uploads } from '../roles/notifications.ts'
import { startInstantStandIns, startRole, stopChild } from '../roles/processes.ts'
import type { Instruction } from './viewers.ts'

const USAGE = `Usage: npm run bench:viewers -- [--runs N] [--seconds N]

Measures how long the webhook takes to answer at 300 notifications a second, without and with 50 people who watch
the activity page. Runs alternate, after a warm-up. \`web\`, its queue and the sender have one core, the activity role,
its journal and the viewers another one, as on two machines (Linux, \`taskset\`).

  --runs N      runs of each case; default 5
  --seconds N   duration of a run; default 10
`

const PER_SECOND = 300
const VIEWERS = 50
const SETTLE_MS = 3000
const PASSWORD = 'bench-password'

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    runs: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '10' }
  }
})
if (values.help) {
  process.stdout.write(USAGE)
  process.exit()
}
const print = (text = '') => process.stdout.write(`${text}\n`)
const WEBHOOK_CORE = 0
const VIEWERS_CORE = 1
const pin = (pid: number | undefined, core: number) =>
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(core), String(pid)])

pin(process.pid, WEBHOOK_CORE)
const journal = fork(`${import.meta.dirname}/busy-journal.ts`, [String(PER_SECOND)])
const [{ environment }] = (await once(journal, 'message')) as [{ environment: Record<string, string> }]
pin(journal.pid, VIEWERS_CORE)

const activity = spawn(process.execPath, ['app/main.ts', 'activity'], {
  env: {
    PATH: process.env.PATH,
    ...environment,
    PORT: '0',
    HOST: '127.0.0.1',
    QUEUE_URL: 'http://127.0.0.1:9/0/q.fifo',
    DEAD_LETTER_QUEUE_URL: 'http://127.0.0.1:9/0/d.fifo',
    ACTIVITY_PASSWORD: PASSWORD
  },
  stdio: ['ignore', 'pipe', 'inherit']
})
pin(activity.pid, VIEWERS_CORE)
let activityUrl = ''
for await (const line of createInterface({ input: activity.stdout })) {
  const { msg, url } = JSON.parse(line)
  activityUrl = String(url)
  if (msg === 'activity is ready') break
}
activity.stdout.resume()

const viewers = fork(`${import.meta.dirname}/viewers.ts`)
pin(viewers.pid, VIEWERS_CORE)
const standIns = await startInstantStandIns()
const web = await startRole('web', standIns)

/** Sends `instruction` to the viewers, and resolves with their reply. */
const instruct = async (instruction: Instruction): Promise<{ messages?: number }> => {
  const answer = once(viewers, 'message')
  viewers.send(instruction)
  return (await answer)[0]
}

async function run(name: string, count: number) {
  const seconds = Number(values.seconds)
  const load = new Load(web.url, uploads(PER_SECOND * seconds, name))
  if (count > 0) {
    const authorization = `Basic ${Buffer.from(`listener:${PASSWORD}`).toString('base64')}`
    await instruct({ kind: 'open', url: `${activityUrl}/api/activity/stream`, authorization, count })
  }
  // viewers first receive the events of the last 15 s
  await pause(SETTLE_MS)
  const [before, webBefore] = [await cpuSecondsOf(activity.pid!), await cpuSecondsOf(web.pid)]
  const { accepted, p50, p99 } = await load.atRate({
    perSecond: PER_SECOND,
    milliseconds: seconds * 1000
  })
  const cores = ((await cpuSecondsOf(activity.pid!)) - before) / seconds
  const webCpuMs = (((await cpuSecondsOf(web.pid)) - webBefore) * 1000) / accepted
  const { messages = 0 } = await instruct({ kind: 'close' })
  return {
    p50,
    p99,
    cores,
    webCpuMs,
    perViewer: count === 0 ? 0 : messages / count / (seconds + SETTLE_MS / 1000)
  }
}

try {
  const runs = Number(values.runs)
  const cases = { 'without viewers': 0, [`${VIEWERS} viewers`]: VIEWERS }
  const results = new Map<string, Awaited<ReturnType<typeof run>>[]>()
  for (let index = 0; index <= runs; index++) {
    for (const [name, count] of Object.entries(cases)) {
      const result = await run(`${index}-${count}`, count)
      print(`${index === 0 ? 'warm-up' : `run ${index}`}, ${name}: p99 ${result.p99.toFixed(1)} ms`)
      if (index > 0) results.set(name, [...(results.get(name) ?? []), result])
    }
  }
  const rows = [...results].map(([name, all]) => {
    const of = (field: 'p50' | 'p99' | 'cores' | 'webCpuMs' | 'perViewer') =>
      median(all.map((each) => each[field]))
    return [
      name,
      of('p50').toFixed(2),
      of('p99').toFixed(2),
      of('webCpuMs').toFixed(2),
      of('cores').toFixed(2),
      Math.round(of('perViewer'))
    ]
  })
  print(
    `\nNode.js ${process.version}, ${arch}, ${cpus().length} cores; ${runs} runs, ${PER_SECOND} notifications/s`
  )
  print(
    formatTable(
      ['case', 'ack p50 ms', 'ack p99 ms', 'CPU ms of web', 'cores of activity', 'events/s per viewer'],
      rows
    )
  )
  const [without, watched] = [...results.values()].map((all) => median(all.map(({ p99 }) => p99)))
  print(`\nack p99 with viewers: ${((watched ?? Number.NaN) / (without ?? Number.NaN)).toFixed(2)} × without`)
} finally {
  await Promise.all([web.stop(), stopChild(activity), stopChild(journal), stopChild(viewers)])
  await standIns.stop()
}
