import type { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs'
import { pino } from 'pino'
import t from 'tap'
import type { QueueSample } from '../../../app/activity/activity-store.ts'
import { QueueSamples } from '../../../app/queue/queue-samples.ts'

const counts: Record<string, string[]> = { queue: ['5', '2'], dead: ['3', '1'] }

function build(fails: () => boolean = () => false) {
  const samples: QueueSample[] = []
  const lines: { level: number }[] = []
  let now = Date.parse('2026-06-01T12:00:00Z')
  let tick = () => {}
  let isStopped = false
  const sqs = {
    send: async ({ input }: GetQueueAttributesCommand) => {
      if (fails()) throw new Error('no answer')
      const [visible, hidden] = counts[input.QueueUrl!]!
      return {
        Attributes: { ApproximateNumberOfMessages: visible, ApproximateNumberOfMessagesNotVisible: hidden }
      }
    }
  } as unknown as SQSClient
  const queueSamples = new QueueSamples({
    sqs,
    queueUrl: 'queue',
    deadLetterQueueUrl: 'dead',
    isBreakerOpen: () => true,
    put: async (sample) => void samples.push(sample),
    log: pino({}, { write: (line) => void lines.push(JSON.parse(line)) }),
    clock: () => now,
    every: (_milliseconds, given) => {
      tick = given
      return () => {
        isStopped = true
      }
    }
  })
  const pass = async (milliseconds: number) => {
    now += milliseconds
    tick()
    await new Promise(setImmediate)
  }
  return { queueSamples, samples, lines, pass, isStopped: () => isStopped }
}

t.test('samples both queues at the start and every 10 s', async (t) => {
  const { queueSamples, samples, pass, isStopped } = build()
  queueSamples.start()
  await pass(0)
  await pass(10_000)
  await queueSamples.stop()
  t.ok(isStopped())
  t.strictSame(samples, [
    { at: '2026-06-01T12:00:00.000Z', waiting: 5, inFlight: 2, deadLetters: 4, breakerOpen: true },
    { at: '2026-06-01T12:00:10.000Z', waiting: 5, inFlight: 2, deadLetters: 4, breakerOpen: true }
  ])
})

t.test('reports the longest wait of the events started since the last sample', async (t) => {
  const { queueSamples, samples, pass } = build()
  queueSamples.start()
  await pass(0)
  for (const waitedMs of [1200, 40_400, 3000]) queueSamples.started(waitedMs)
  await pass(10_000)
  await pass(10_000)
  await queueSamples.stop()
  t.strictSame(
    samples.map(({ oldestSeconds }) => oldestSeconds),
    [undefined, 40, undefined]
  )
})

t.test('a failure is logged once a minute', async (t) => {
  let isFailing = true
  const { queueSamples, samples, lines, pass } = build(() => isFailing)
  queueSamples.start()
  await pass(0)
  await pass(10_000)
  t.equal(lines.length, 1)
  await pass(60_000)
  t.equal(lines.length, 2)
  isFailing = false
  await pass(10_000)
  t.equal(samples.length, 1)
  await queueSamples.stop()
})

t.test('uses a timer by default', async (t) => {
  const queueSamples = new QueueSamples({
    sqs: { send: async () => ({}) } as unknown as SQSClient,
    queueUrl: 'queue',
    deadLetterQueueUrl: 'dead',
    isBreakerOpen: () => false,
    put: async ({ waiting }) => void t.ok(Number.isNaN(waiting)),
    log: pino({ enabled: false }),
    clock: Date.now
  })
  await queueSamples.stop()
  queueSamples.start()
  await queueSamples.stop()
})
