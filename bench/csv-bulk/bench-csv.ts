import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { parse } from 'csv-parse/sync'
import type { CloudinaryStandIn } from '../../dev/cloudinary/cloudinary-server.ts'
import type { LogLine } from '../../dev/start/role-process.ts'
import { startSystem } from '../../dev/start/system.ts'
import { memoryOf } from '../process-memory.ts'

const USAGE = `Usage: npm run bench:csv -- [--rows N] [--kill] [--notify]

Runs a large CSV file through the real worker process, against the stand-ins on loopback. Prints rows per
second and the worker's memory. Exits 1 if a row is lost, if more rows are repeated than were in flight, or if
the worker takes 200 MB.

  --rows N   default 100000
  --kill     kills the worker (SIGKILL) halfway; the queue redelivers the file after 60 s
  --notify   also sends a notification of each change, as Cloudinary does; the worker ignores its own changes
`
/** Limit of the worker's memory, in MB. */
const LIMIT_MB = 200
/** Options of Node.js, as in the Dockerfile. */
const WORKER_NODE_OPTIONS = '--max-semi-space-size=8'
/** Number of rows in flight, if none is given. */
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

/**
 * Rows take turns to add a tag, set context and set metadata, each on its own asset, so that a call
 * identifies its row.
 */
function csvOf(count: number): string {
  const lines = ['operation,public_id,tags,context.alt,metadata.cms_id']
  for (let index = 0; index < count; index++) {
    const start = [`add_tags,${publicIdOf(index)},bench,,`, `set_context,${publicIdOf(index)},,A bag,`]
    lines.push([...start, `set_metadata,${publicIdOf(index)},,,article-${index}`][index % 3]!)
  }
  return lines.join('\n')
}

/** Counts the changes made for each row. */
function callsByRow(cloudinary: CloudinaryStandIn): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { action, publicIds, status } of cloudinary.calls) {
    if (!ACTIONS.has(action) || status !== 200) continue
    for (const publicId of publicIds) counts.set(publicId, (counts.get(publicId) ?? 0) + 1)
  }
  return counts
}

const handled = Promise.withResolvers<LogLine>()
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
    if (line.asset === CSV && /^event (processed|dead-lettered)$/.test(String(line.msg)))
      handled.resolve(line)
    else if (['warn', 'error', 'fatal'].includes(String(line.level))) print(`${line.role}: ${line.msg}`)
  }
})
const cloudinary = system.cloudinary!
const [worker] = system.workers as [(typeof system.workers)[number]]
const memory = () => memoryOf(worker.pid!).catch(() => undefined)

cloudinary.setNotificationUrl(undefined)
for (let index = 0; index < rows; index++) {
  cloudinary.as().upload({ publicId: publicIdOf(index) })
  // lets the stand-ins answer the worker
  if (index % 100 === 0) await nextTurn()
}
const content = csvOf(rows)
const size = (content.length / 1_000_000).toFixed(1)
print(`${rows} rows, ${size} MB; worker idle at ${(await memory())?.now.toFixed()} MB`)
print('\nseconds     rows  rows/s  worker RSS, MB')
cloudinary.setNotificationUrl(system.webhookUrl)
cloudinary.as().upload({ publicId: CSV, ...RAW, content })
await cloudinary.delivered()
if (!values.notify) cloudinary.setNotificationUrl(undefined)

const startedAt = performance.now()
const seconds = () => (performance.now() - startedAt) / 1000
let [peak, killedAt, resumedAfter, shown] = [0, 0, 0, 0]
let isDone = false
void handled.promise.then(() => {
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
    // calls in flight at the kill are answered at once
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
const succeeded = outcomes.filter(({ outcome }) => outcome === 'ok').length
const { msg, note, err } = await handled.promise
print(`\n${msg}: ${note ?? JSON.stringify(err)}`)
const redelivered = killedAt ? `, ${resumedAfter.toFixed()} s of it until the file was redelivered` : ''
print(`${took.toFixed()} s, ${(rows / took).toFixed()} rows/s${redelivered}`)
print(`peak memory of the worker: ${peak.toFixed()} MB (limit ${LIMIT_MB})`)
const maxRepeated = values.kill ? CONCURRENCY : 0
print(
  `rows lost: ${lost.length}; repeated: ${repeated} (at most ${maxRepeated}); ok in the report: ${succeeded}`
)
const isPassed = peak < LIMIT_MB && lost.length === 0 && repeated <= maxRepeated && succeeded === rows
print(isPassed ? 'passed' : 'FAILED')
process.exitCode = isPassed ? 0 : 1
