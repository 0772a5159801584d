import t from 'tap'
import { UsageError } from '../../../../app/commands/arguments.ts'
import { canary, parseCanary } from '../../../../app/commands/canary/canary.ts'
import type { Processor } from '../../../../app/listener.ts'
import { LOCAL_CLOUDINARY } from '../../../../app/testing/defaults.ts'
import { runHere, withEnvironment } from '../../../support/commands.ts'
import { buildListener } from '../../../support/listener.ts'
import { memoryMetrics } from '../../../support/metrics.ts'

t.test('parses its options', async (t) => {
  t.strictSame(parseCanary([]), { url: undefined, withinMs: 180_000 })
  t.strictSame(parseCanary(['--url', 'http://localhost', '--within', '600']), {
    url: 'http://localhost',
    withinMs: 600_000
  })
  for (const wrong of [
    ['--url', 'poll://orders'],
    ['--url', 'nonsense'],
    ['--within', '0'],
    ['--within', '601'],
    ['--within', '1.5'],
    ['--other']
  ]) {
    t.throws(() => parseCanary(wrong), UsageError, wrong.join(' '))
  }
})

t.test('needs the address of the webhook', async (t) => {
  const environment = { JOURNAL_TABLE: 'journal', CLOUDINARY_URL: 'cloudinary://key:secret@demo' }
  t.equal((await withEnvironment(environment, () => runHere('canary'))).exitCode, 2)
})

t.test('an interrupted canary counts neither as ended nor as failed', async (t) => {
  const { metrics, counts, durations } = memoryMetrics()
  const lines: string[] = []
  const exitCode = await canary(
    { webhookUrl: 'http://127.0.0.1:1/', withinMs: 1000 },
    {
      keys: [LOCAL_CLOUDINARY],
      journal: { find: async () => undefined },
      metrics,
      print: (line) => void lines.push(line),
      clock: Date.now,
      pause: async () => {},
      signal: AbortSignal.abort()
    }
  )
  t.equal(exitCode, 1)
  t.match(lines, [/^demo {2}interrupted {2}[0-9a-f]{32}$/])
  t.strictSame({ ...counts, ...durations }, {})
})

t.test('a canary passes through web, queue and worker, and no processor runs for it', async (t) => {
  const seen: string[] = []
  const everything: Processor = {
    name: 'everything',
    on: ['*'],
    ownChanges: true,
    handle: ({ id }) => void seen.push(id)
  }
  const { cloudinary, atRest, lines, stopWorker, startWorker } = await buildListener(t, [everything])

  const send = () => withEnvironment({ METRICS_NAMESPACE: 'test' }, () => runHere('canary'))
  let sent = await send()
  // a busy machine delays the event loop, and `web` may then refuse for a second
  while (sent.output[0]?.includes('answered 503')) sent = await send()
  const { exitCode, output } = sent
  t.equal(exitCode, 0)
  t.match(output[0], /^demo {2}ended {2}[0-9a-f]{32} {2}/)
  const metrics = JSON.parse(String(output.at(-1)))
  t.match(metrics, { Role: 'canary', CanariesEnded: 1 })
  t.type(metrics.CanaryLatency, Array)
  t.notOk('CanariesFailed' in metrics)
  await atRest()
  t.strictSame(seen, [])
  t.strictSame(cloudinary.calls, [])
  t.match(lines.filter(({ msg }) => msg === 'event ignored').length, 1)

  await t.test('it fails while no worker runs', async (t) => {
    await stopWorker()
    const failed = await withEnvironment({ METRICS_NAMESPACE: 'test' }, () =>
      runHere('canary', '--within', '1')
    )
    t.equal(failed.exitCode, 1)
    t.match(failed.output[0], /^demo {2}failed {2}[0-9a-f]{32} {2}CANARY_NOT_PROCESSED: /)
    t.match(JSON.parse(String(failed.output.at(-1))), { Role: 'canary', CanariesFailed: 1 })
    await startWorker()
    await atRest()
  })

  await t.test('it fails with a key that web does not know', async (t) => {
    const url = cloudinary
      .cloud()
      .cloudinaryUrl(cloudinary.url)
      .replace(/:[^:@]+@/, ':not-the-secret@')
    const failed = await withEnvironment({ CLOUDINARY_URL: url }, () => runHere('canary'))
    t.equal(failed.exitCode, 1)
    t.match(failed.output, [/CANARY_REFUSED: .*401/])
    t.notMatch(failed.output.join('\n'), 'not-the-secret')
  })
})
