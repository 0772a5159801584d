import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { startSqs } from '../../dev/embedded-sqs.ts'
import { memoryOf } from '../process-memory.ts'
import { ENVIRONMENT, type History, isoSeconds, lostIds } from './history.ts'
import { gigabytesOf, startServer } from './history-server.ts'

const USAGE = `Usage: npm run bench:reconcile -- [--rate N] [--hours N] [--lost-every N]

Runs one pass of reconcile, as a process of its own, over a past that is served from loopback; prints what it read, how long it
took and its peak memory. Exits 1 when it did not find exactly what was lost, or took more than a task of 512 MiB has.

  --rate N        events a second; default 20
  --hours N       how far the pass looks back; default 13
  --lost-every N  of the changes of tags, one in N is lost; default 1000
`
/** What a task of 512 MiB has for the process, in MB; Node.js gives half of it to the heap. */
const LIMIT_MB = 480
const NODE_OPTIONS = '--max-old-space-size=256 --max-semi-space-size=8'
const SAMPLE_MS = 100
const HOUR_MS = 3_600_000
/** The past before the window that reconcile reads. */
const BEFORE_MS = 12 * HOUR_MS
const LONGEST_MS = 20 * 60_000

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
    timeout: LONGEST_MS,
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
      peak = Math.max(peak, memory.peak || 0) // not a number once it is a zombie
    },
    () => {} // it has ended
  )
}, SAMPLE_MS)
const sent = new Set<string>()
const said: string[] = []
for await (const line of createInterface({ input: child.stdout })) {
  const [, id] = /^sent +(\S+)/.exec(line) ?? []
  if (id) sent.add(id)
  if (!line.startsWith('…') && !id) said.push(line)
}
const exitCode = child.exitCode ?? child.signalCode ?? (await once(child, 'exit'))[0]
clearInterval(sampling)
const seconds = (performance.now() - startedAt) / 1000
server.stop()
await sqs.stop()

// what was changed in the last minute is left for the next pass
const expected = lost.intersection(lostIds({ ...history, end: end - 2 * 60_000 }, from))
const found = [...expected].filter((id) => sent.has(id)).length
const events = history.rate * 3600 * Number(values.hours)
console.table({
  'events in the window': events,
  'changes lost / found': `${expected.size} / ${found}`,
  'pass, s': Math.round(seconds),
  'peak memory, MB': Math.round(peak),
  'calls of the Admin API': server.searches,
  'queries of DynamoDB': server.queries,
  'feed items read': server.itemsRead,
  'feed read, GB': gigabytesOf(server.itemsRead).toFixed(2)
})
if (exitCode !== 0 || found < expected.size || peak > LIMIT_MB) {
  console.error(`failed: exit code ${exitCode}; it said:\n${said.join('\n')}`)
  process.exitCode = 1
}
