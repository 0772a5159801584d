import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { startSqs } from '../../dev/embedded-sqs.ts'
import { memoryOf } from '../process-memory.ts'
import { ENVIRONMENT, type History, isoSeconds, lostIds } from './history.ts'
import { gigabytesOf, startServer } from './history-server.ts'

const USAGE = `Usage: npm run bench:reconcile -- [--rate N] [--hours N] [--lost-every N]

Runs one pass of reconcile in its own process, on a computed history served from loopback. Prints the
duration, the reads and the peak memory. Exits 1 if a lost change was not found, or if the process needs more
memory than a task of 512 MiB has.

  --rate N        events per second; default 20
  --hours N       length of the searched window; default 13
  --lost-every N  one in N tag changes is lost; default 1000
`
/** Memory of the process in a task of 512 MiB, in MB. Node.js uses half of it for the heap. */
const LIMIT_MB = 480
const NODE_OPTIONS = '--max-old-space-size=256 --max-semi-space-size=8'
const SAMPLE_MS = 100
const HOUR_MS = 3_600_000
/** Length of the history before the searched window. */
const BEFORE_MS = 12 * HOUR_MS
const TIMEOUT_MS = 20 * 60_000

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    rate: { type: 'string', default: '20' },
    hours: { type: 'string', default: '13' },
    'lost-every': { type: 'string', default: '1000' }
  }
})
if (values.help) {
  process.stdout.write(USAGE)
  process.exit()
}

const end = Math.floor(Date.now() / 1000) * 1000
const from = end - Number(values.hours) * HOUR_MS
const history: History = {
  rate: Number(values.rate),
  start: from - BEFORE_MS,
  end,
  lostEvery: Number(values['lost-every'])
}
const lost = lostIds(history, from)
const server = await startServer(history, lost)
const sqs = await startSqs()
const child = spawn(
  process.execPath,
  ['app/main.ts', 'reconcile', '--since', isoSeconds(from), '--grace', '0'],
  {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: TIMEOUT_MS,
    env: {
      PATH: process.env.PATH,
      NODE_OPTIONS,
      ...sqs.environment,
      AWS_ENDPOINT_URL_DYNAMODB: server.url,
      QUEUE_URL: sqs.queueUrl,
      JOURNAL_TABLE: 'journal',
      CLOUDINARY_URL: `cloudinary://111:secret@${ENVIRONMENT}?upload_prefix=${encodeURIComponent(server.url)}`
    }
  }
)
const startedAt = performance.now()
let peak = 0
const sampling = setInterval(() => {
  memoryOf(child.pid!).then(
    (memory) => {
      peak = Math.max(peak, memory.peak || 0) // NaN for a zombie process
    },
    () => {} // it has exited
  )
}, SAMPLE_MS)
const sent = new Set<string>()
const output: string[] = []
for await (const line of createInterface({ input: child.stdout })) {
  const [, id] = /^sent +(\S+)/.exec(line) ?? []
  if (id) sent.add(id)
  if (!line.startsWith('…') && !id) output.push(line)
}
const exitCode = child.exitCode ?? child.signalCode ?? (await once(child, 'exit'))[0]
clearInterval(sampling)
const seconds = (performance.now() - startedAt) / 1000
server.stop()
await sqs.stop()

// reconcile leaves the most recent changes for the next pass
const expected = lost.intersection(lostIds({ ...history, end: end - 2 * 60_000 }, from))
const found = [...expected].filter((id) => sent.has(id)).length
const events = history.rate * 3600 * Number(values.hours)
console.table({
  'events in the window': events,
  'changes lost / found': `${expected.size} / ${found}`,
  'duration, s': Math.round(seconds),
  'peak memory, MB': Math.round(peak),
  'Admin API calls': server.searches,
  'DynamoDB queries': server.queries,
  'feed items read': server.itemsRead,
  'feed read, GB': gigabytesOf(server.itemsRead).toFixed(2)
})
if (exitCode !== 0 || found < expected.size || peak > LIMIT_MB) {
  console.error(`failed: exit code ${exitCode}; output:\n${output.join('\n')}`)
  process.exitCode = 1
}
