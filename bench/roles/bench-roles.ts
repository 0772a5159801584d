import { arch, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { formatTable } from '../../test/system/chaos/table.ts'
import { post, uploads } from './load.ts'
import { type Figures, measure, median } from './measure.ts'
import { messagesOf } from './messages.ts'
import { type MeasuredProcess, startFloor, startInstantStandIns, startRole } from './processes.ts'

const USAGE = `Usage: npm run bench -- [--runs N] [--size N] [--only web|worker]

Measures the real web and worker processes on loopback, against stand-ins that answer at once from another
process. Prints medians of the CPU time per unit of work and of the throughput.

  --runs N   runs of each case, alternating; default 5
  --size N   units of work per run of the quick cases; default 4000
  --only R   measures one role
`

/** Number of connections for maximum throughput. */
const CONNECTIONS = 32
/** Duration of an Upload API call from AWS to Cloudinary, in milliseconds. */
const CLOUDINARY_MS = 200

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    runs: { type: 'string', default: '5' },
    size: { type: 'string', default: '4000' },
    only: { type: 'string', default: '' }
  }
})
if (values.help) {
  process.stdout.write(USAGE)
  process.exit()
}
const runs = Number(values.runs)
const size = Number(values.size)
if (
  !(
    Number.isInteger(runs) &&
    runs >= 1 &&
    runs <= 100 &&
    Number.isInteger(size) &&
    size >= 100 &&
    size <= 100_000
  )
) {
  process.stderr.write('--runs must be from 1 to 100, --size from 100 to 100000\n')
  process.exit(1)
}
const print = (text = '') => process.stdout.write(`${text}\n`)

interface Case {
  name: string
  run: (name: string) => Promise<Figures>
}

const standIns = await startInstantStandIns()
const started: MeasuredProcess[] = []
const start = async (starting: Promise<MeasuredProcess>) => {
  const measured = await starting
  started.push(measured)
  return measured
}

async function webCases(): Promise<Case[]> {
  const [web, floor] = [await start(startRole('web', standIns)), await start(startFloor())]
  const under = (measured: MeasuredProcess, count: number, connections: number) => (name: string) => {
    const notifications = uploads(count, name)
    return measure(measured, count, () => post(measured.url, notifications, connections))
  }
  return [
    { name: 'web: uploads, at full load', run: under(web, size, CONNECTIONS) },
    { name: 'floor: only HTTP, at full load', run: under(floor, size, CONNECTIONS) },
    { name: 'web: uploads, one at a time', run: under(web, Math.ceil(size / 4), 1) },
    { name: 'floor: only HTTP, one at a time', run: under(floor, Math.ceil(size / 4), 1) }
  ]
}

async function workerCases(): Promise<Case[]> {
  const worker = await start(startRole('worker', standIns))
  const under =
    (options: Parameters<typeof messagesOf>[0], count: number, latency = 0) =>
    (name: string) => {
      standIns.setLatency(latency)
      const messages = messagesOf(options, count, name)
      return measure(worker, count, () => standIns.process(messages))
    }
  const upload = { type: 'upload' } as const
  return [
    { name: 'worker: uploads, 2 processors, 3 calls', run: under(upload, size) },
    {
      name: 'worker: own changes, ignored',
      run: under({ type: 'resource_tags_changed', own: true }, size)
    },
    {
      name: `worker: uploads, Cloudinary takes ${CLOUDINARY_MS} ms a call`,
      run: under(upload, Math.ceil(size / 8), CLOUDINARY_MS)
    }
  ]
}

try {
  const cases = [
    ...(values.only === 'worker' ? [] : await webCases()),
    ...(values.only === 'web' ? [] : await workerCases())
  ]
  print(`Node.js ${process.version}, ${arch}, ${cpus().length} cores`)
  print(`${runs} runs of each case, alternating, after a warm-up run`)
  const figures = new Map<string, Figures[]>(cases.map(({ name }) => [name, []]))
  for (let run = 0; run <= runs; run++) {
    for (const [index, { name, run: once }] of cases.entries()) {
      const result = await once(`${run}-${index}`)
      // the first run is a warm-up
      if (run > 0) figures.get(name)!.push(result)
    }
  }
  const rows = [...figures].map(([name, all]) => {
    const of = (field: keyof Figures) => median(all.map((each) => each[field] ?? Number.NaN))
    const cpuMs = all.map(({ cpuMs }) => cpuMs)
    const latency = (field: 'p50' | 'p99') => (all[0]?.[field] === undefined ? '' : of(field).toFixed(1))
    return [
      name,
      of('cpuMs').toFixed(2),
      `${Math.min(...cpuMs).toFixed(2)}–${Math.max(...cpuMs).toFixed(2)}`,
      Math.round(of('perSecond')),
      of('cores').toFixed(2),
      latency('p50'),
      latency('p99'),
      of('logLines').toFixed(1),
      Math.round(of('logBytes')),
      Math.round(of('memoryMb'))
    ]
  })
  const headings = [
    'case',
    'CPU s/1,000',
    'range',
    'a second',
    'cores',
    'p50 ms',
    'p99 ms',
    'log lines',
    'log bytes',
    'RSS MB'
  ]
  print(`\n${formatTable(headings, rows)}`)
} finally {
  await Promise.all(started.map(({ stop }) => stop()))
  await standIns.stop()
}
