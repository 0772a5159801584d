import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { parse } from 'csv-parse/sync'
import type { CloudinaryStandIn } from '../../dev/cloudinary/cloudinary-server.ts'
import type { LogLine } from '../../dev/start/role-process.ts'
import { startSystem } from '../../dev/start/system.ts'
import { memoryOf } from '../process-memory.ts'

const USAGE = `Usage: npm run bench:csv -- [--rows N] [--kill] [--notify]

Has a CSV file of many rows run by the real worker process against the stand-ins, on loopback, and prints rows a second and
the worker's memory. Exits 1 when a row is lost, more rows are repeated than were in flight, or it takes 200 MB.

  --rows N   default 100000
  --kill     kills the worker (SIGKILL) in the middle; the queue gives the file out again after 60 s
  --notify   lets Cloudinary notify of each change, as it does; they are ignored as our own, and take their time
`
/** What a worker may take, in MB. */
const LIMIT_MB = 200
/** As the Dockerfile has it. */
const WORKER_NODE_OPTIONS = '--max-semi-space-size=8'
/** Rows in flight, by default. */
const CONCURRENCY = 20
const CSV = 'bulk/rows.csv'
const REPORT = 'bulk/rows.report.csv'
const RAW = { resourceType: 'raw' }
const SAMPLE_MS = 500
const ACTIONS = new Set(['tags', 'context', 'metadata'])

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    rows: { type: 'string', default: '100000' },
    kill: { type: 'boolean', default: false },
    notify: { type: 'boolean', default: false }
  }
})
if (values.help) {
  process.stdout.write(USAGE)
  process.exit()
}
const rows = Number(values.rows)
const print = (text: string) => process.stdout.write(`${text}\n`)
const publicIdOf = (index: number) => `asset-${index}`

/** Every third row adds a tag, sets context, sets metadata: each on an asset of its own, so that calls tell rows. */
function csvOf(count: number): string {
  const lines = ['operation,public_id,tags,context.alt,metadata.cms_id']
  for (let index = 0; index < count; index++) {
    const start = [`add_tags,${publicIdOf(index)},bench,,`, `set_context,${publicIdOf(index)},,A bag,`]
    lines.push([...start, `set_metadata,${publicIdOf(index)},,,article-${index}`][index % 3]!)
  }
  return lines.join('\n')
}

/** How often each row's change was made. */
function callsByRow(cloudinary: CloudinaryStandIn): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { action, publicIds, status } of cloudinary.calls) {
    if (!ACTIONS.has(action) || status !== 200) continue
    for (const publicId of publicIds) counts.set(publicId, (counts.get(publicId) ?? 0) + 1)
  }
  return counts
}

const ended = Promise.withResolvers<LogLine>()
const system = await startSystem({
  environment: {
    PATH: process.env.PATH,
    PORT: '0',
    NODE_OPTIONS: WORKER_NODE_OPTIONS,
    LOG_LEVEL: 'info',
    LISTENER_CONFIG: 'bench/csv-bulk/listener.config.ts'
  },
  cloudinary: { maxRecords: Number.POSITIVE_INFINITY },
  onLine: (line) => {
    if (line.asset === CSV && /^event (processed|dead-lettered)$/.test(String(line.msg))) ended.resolve(line)
    else if (['warn', 'error', 'fatal'].includes(String(line.level))) print(`${line.role}: ${line.msg}`)
  }
})
const cloudinary = system.cloudinary!
const [worker] = system.workers as [(typeof system.workers)[number]]
const memory = () => memoryOf(worker.pid!).catch(() => undefined)

cloudinary.setNotificationUrl(undefined)
for (let index = 0; index < rows; index++) {
  cloudinary.as().upload({ publicId: publicIdOf(index) })
  // the worker asks the stand-ins meanwhile
  if (index % 100 === 0) await nextTurn()
}
const content = csvOf(rows)
print(
  `${rows} rows, ${(content.length / 1_000_000).toFixed(1)} MB; worker idle at ${(await memory())?.now.toFixed()} MB`
)
print('\nseconds     rows  rows/s  worker RSS, MB')
cloudinary.setNotificationUrl(system.webhookUrl)
cloudinary.as().upload({ publicId: CSV, ...RAW, content })
await cloudinary.delivered()
if (!values.notify) cloudinary.setNotificationUrl(undefined)

const startedAt = performance.now()
const seconds = () => (performance.now() - startedAt) / 1000
let [peak, killedAt, resumedAfter, shown] = [0, 0, 0, 0]
let isDone = false
void ended.promise.then(() => {
  isDone = true
})
while (!isDone) {
  await pause(SAMPLE_MS)
  const used = await memory()
  peak = Math.max(peak, used?.peak ?? 0)
  const done = cloudinary.calls.length
  if (done >= ((shown + 1) * rows) / 10) {
    shown = Math.floor((done * 10) / rows)
    const columns = [
      seconds().toFixed().padStart(7),
      String(done).padStart(8),
      (done / seconds()).toFixed().padStart(7)
    ]
    print([...columns, used?.now.toFixed().padStart(15)].join(' '))
  }
  if (values.kill && killedAt === 0 && done >= rows / 2) {
    process.kill(worker.pid!, 'SIGKILL')
    killedAt = done
    const [at, time] = [seconds(), Date.now()]
    print(`killed the worker after ${done} calls`)
    // what it had sent by then is answered at once
    void cloudinary
      .called((call) => call.time > time + 2000)
      .then(() => {
        resumedAfter = seconds() - at
      })
  }
}
const took = seconds()
const counts = callsByRow(cloudinary)
const report = cloudinary.assets.find(REPORT, RAW)?.content ?? ''
const outcomes: Record<string, string>[] = parse(report, { columns: true })
await system.stop()

const lost = Array.from({ length: rows }, (_, index) => publicIdOf(index)).filter(
  (publicId) => !counts.has(publicId)
)
const repeated = [...counts.values()].reduce((sum, count) => sum + count - 1, 0)
const told = outcomes.filter(({ outcome }) => outcome === 'ok').length
const { msg, note, err } = await ended.promise
print(`\n${msg}: ${note ?? JSON.stringify(err)}`)
print(
  `${took.toFixed()} s, ${(rows / took).toFixed()} rows/s${killedAt ? `, ${resumedAfter.toFixed()} s of it until the file came again` : ''}`
)
print(`worker's memory at its peak: ${peak.toFixed()} MB (limit ${LIMIT_MB})`)
print(
  `rows lost: ${lost.length}; repeated: ${repeated} (at most ${values.kill ? CONCURRENCY : 0}); ok in the report: ${told}`
)
const held =
  peak < LIMIT_MB && lost.length === 0 && repeated <= (values.kill ? CONCURRENCY : 0) && told === rows
print(held ? 'held' : 'BROKEN')
process.exitCode = held ? 0 : 1
