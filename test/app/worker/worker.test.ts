import { EventEmitter, once } from 'node:events'
import { SQSClient } from '@aws-sdk/client-sqs'
import { pino } from 'pino'
import { type Test, test } from 'tap'
import type { CloudinaryClient } from '../../../app/cloudinary/client.ts'
import type { AssetEvent } from '../../../app/cloudinary/event.ts'
import { CloudinaryError } from '../../../app/cloudinary/fault.ts'
import { PermanentError } from '../../../app/errors.ts'
import type { Processor } from '../../../app/listener.ts'
import { serializeError } from '../../../app/logger.ts'
import { encodeMessage } from '../../../app/queue/message.ts'
import { createWorker, type WorkerOptions } from '../../../app/worker/worker.ts'
import { QUEUE_NAME, startSqs } from '../../../dev/sqs.ts'

/** 2026-06-01T12:00:02Z: two seconds after the events of this file were received. */
const NOW = 1_780_315_202_000

/** Time for handlers that a test ends itself, in milliseconds. */
const PLENTY_MS = 60_000

const event = (id: string, more: Partial<AssetEvent> = {}): AssetEvent => ({
  id,
  type: 'upload',
  notificationType: 'upload',
  environment: 'demo',
  asset: { publicId: 'samples/bag' },
  group: `group-${id}`,
  occurredAt: '2026-06-01T12:00:00.000Z',
  receivedAt: '2026-06-01T12:00:00.000Z',
  origin: { source: 'ui', id: 'somebody', own: false },
  payload: {},
  ...more
})

const processor = (handle: Processor['handle'], more: Partial<Processor> = {}): Processor => ({
  name: 'under-test',
  on: ['upload'],
  handle,
  ...more
})

/** A started worker on a real queue. */
async function start(t: Test, processors: readonly Processor[], more: Partial<WorkerOptions> = {}) {
  const queue = await startSqs()
  const sqs = new SQSClient({
    endpoint: queue.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' }
  })
  const lines: Record<string, unknown>[] = []
  const written = new EventEmitter()
  const write = (text: string) => {
    lines.push(JSON.parse(text))
    written.emit('line')
  }
  const clients: { cloudName: string; signal: AbortSignal }[] = []
  const worker = createWorker({
    sqs,
    queueUrl: queue.queueUrl,
    listener: { processors },
    cloudinary: (cloudName, signal) => {
      const client = { cloudName, signal }
      clients.push(client)
      return client as unknown as CloudinaryClient
    },
    log: pino({ level: 'debug', serializers: { err: serializeError } }, { write }),
    concurrency: 10,
    waitTimeSeconds: 0,
    clock: () => NOW,
    random: () => 0.75,
    ...more
  })
  t.teardown(async () => {
    await worker.stop(0)
    sqs.destroy()
    await queue.stop()
  })
  worker.start()

  const send = (body: string, messageGroupId: string, messageDeduplicationId: string) =>
    void queue.server.sendMessage(QUEUE_NAME, body, { messageGroupId, messageDeduplicationId })

  /** Resolves with the first, or a later, line of this message. */
  async function logged(msg: string, count = 1): Promise<Record<string, unknown>> {
    const found = () => lines.filter((line) => line.msg === msg)
    while (found().length < count) await once(written, 'line')
    return found()[count - 1] as Record<string, unknown>
  }

  /** What is left in the queue when the worker has stopped, and how long SQS was told to hide it. */
  async function afterStop(graceMs = PLENTY_MS) {
    await worker.stop(graceMs)
    const { ready = [], inflight = [] } = queue.server.inspectQueue(QUEUE_NAME)?.messages ?? {}
    return [
      ...ready.map((message) => ({ id: message.messageDeduplicationId, comes: 'at once', seconds: 0 })),
      ...inflight.map(({ message, visibilityDeadline }) => ({
        id: message.messageDeduplicationId,
        comes: 'later',
        seconds: (visibilityDeadline - Date.now()) / 1000
      }))
    ]
  }

  return {
    worker,
    clients,
    lines,
    logged,
    afterStop,
    send,
    sendEvent: (sent: AssetEvent) => send(encodeMessage(sent), sent.group, sent.id)
  }
}

test('an event is given to its processors, one after the other, and is then done', async (t) => {
  const seen: unknown[] = []
  const { clients, logged, lines, afterStop, sendEvent } = await start(t, [
    processor((given, { cloudinary }) => {
      seen.push(['first', given, cloudinary])
      return 'a note'
    }),
    processor(() => void seen.push(['second']), { name: 'second', on: ['*'] }),
    processor(() => void seen.push(['other']), { name: 'other', on: ['delete'] })
  ])
  const sent = event('e1', { traceId: 'Root=1-2' })
  sendEvent(sent)
  t.match(await logged('event done'), { endToEndMs: 2000 })
  t.strictSame(seen, [['first', sent, clients[0]], ['second']])
  t.match(clients, [{ cloudName: 'demo' }, { cloudName: 'demo' }])
  const about = {
    eventId: 'e1',
    type: 'upload',
    environment: 'demo',
    asset: 'samples/bag',
    traceId: 'Root=1-2',
    outcome: 'succeeded',
    milliseconds: Number
  }
  t.match(
    lines.filter(({ msg }) => msg === 'event processed'),
    [
      { ...about, processor: 'under-test', note: 'a note' },
      { ...about, processor: 'second' }
    ]
  )
  t.strictSame(await afterStop(), [])
})

test('an event without a public id is logged by its asset id, and one without an asset by neither', async (t) => {
  const { logged, lines, afterStop, sendEvent } = await start(t, [])
  sendEvent(event('e1', { asset: { assetId: 'abc' } }))
  await logged('event ignored')
  sendEvent(event('e2', { type: 'create_folder', asset: null }))
  await logged('event ignored', 2)
  t.match(lines, [{ eventId: 'e1', asset: 'abc' }, { eventId: 'e2' }])
  t.notOk('asset' in (lines[1] ?? {}))
  t.strictSame(await afterStop(), [])
})

test('an event that no processor wants is deleted', async (t) => {
  const { logged, clients, afterStop, sendEvent } = await start(t, [processor(() => {})])
  sendEvent(event('e1', { type: 'delete' }))
  t.match(await logged('event ignored'), { outcome: 'ignored', reason: 'no processor is on delete' })
  t.strictSame(await afterStop(), [])
  t.strictSame(clients, [])
})

test("a change made with the listener's own key starts nothing", async (t) => {
  const { logged, clients, afterStop, sendEvent } = await start(t, [processor(() => {})])
  sendEvent(event('e1', { origin: { source: 'api', id: 'key', own: true } }))
  t.match(await logged('event ignored'), { reason: "a change made with the listener's own key" })
  t.strictSame(await afterStop(), [])
  t.strictSame(clients, [])
})

test('a message that this listener did not write is not deleted, and nothing of it is logged', async (t) => {
  const { logged, lines, afterStop, send } = await start(t, [processor(() => {}, { on: ['*'] })])
  send('{"secret":"s3cret"}', 'g', 'm1')
  t.match(await logged('unreadable message'), { level: 50, err: { code: 'MESSAGE_UNREADABLE' } })
  t.match(await afterStop(), [{ id: 'm1', comes: 'later' }])
  t.notMatch(JSON.stringify(lines), 's3cret')
})

test('an event whose processor fails comes again, later with each time', async (t) => {
  const { logged, afterStop, sendEvent } = await start(
    t,
    [
      processor(() => {
        throw new Error('a passing fault')
      })
    ],
    { random: () => 0.5 }
  )
  sendEvent(event('e1'))
  t.match(await logged('event failed; it will be tried again'), {
    level: 40,
    eventId: 'e1',
    processor: 'under-test',
    outcome: 'failed',
    fault: 'retryable',
    err: { message: 'a passing fault' },
    retryInSeconds: 1
  })
  t.match(await logged('event failed; it will be tried again', 2), { retryInSeconds: 2 })
  t.match(await afterStop(), [{ id: 'e1', comes: 'later' }])
})

test('an event whose processor says it can never succeed is not deleted', async (t) => {
  const { logged, afterStop, sendEvent } = await start(t, [
    processor(() => {
      throw new PermanentError('the asset is gone')
    })
  ])
  sendEvent(event('e1'))
  t.match(await logged('event failed; it will be tried again'), {
    fault: 'permanent',
    err: { code: 'PERMANENT', message: 'the asset is gone' }
  })
  t.match(await afterStop(), [{ id: 'e1', comes: 'later' }])
})

test('an event that meets a rate limit comes again when the limit has ended', async (t) => {
  const until = new Date(NOW + 100_000)
  const { logged, afterStop, sendEvent } = await start(t, [
    processor(() => {
      throw new CloudinaryError('CLOUDINARY_RATE_LIMITED', 'slow down', { kind: 'rate-limited', until })
    })
  ])
  sendEvent(event('e1'))
  t.match(await logged('event failed; it will be tried again'), {
    fault: 'rate-limited',
    retryInSeconds: 123
  })
  const [left] = await afterStop()
  t.match(left, { id: 'e1', comes: 'later' })
  t.ok(left && left.seconds > 100 && left.seconds <= 123, 'by SQS as well')
})

test('a failed processor does not keep the others from running, and the longest delay counts', async (t) => {
  const ran: string[] = []
  const failing = (name: string, error: unknown) =>
    processor(
      () => {
        ran.push(name)
        throw error
      },
      { name }
    )
  const limit = { kind: 'rate-limited', until: new Date(NOW + 10_000) } as const
  const { lines, logged, afterStop, sendEvent } = await start(t, [
    failing('limited', new CloudinaryError('CLOUDINARY_RATE_LIMITED', 'slow down', limit)),
    failing('broken', new Error('a bug')),
    processor(() => void ran.push('fine'), { name: 'fine' })
  ])
  sendEvent(event('e1'))
  await logged('event processed')
  const [left] = await afterStop()
  t.ok(left && left.seconds > 10)
  t.strictSame(ran, ['limited', 'broken', 'fine'])
  t.match(
    lines.map(({ processor, outcome, retryInSeconds }) => [processor, outcome, retryInSeconds]),
    [
      ['limited', 'failed', 33],
      ['broken', 'failed', 2],
      ['fine', 'succeeded', undefined]
    ]
  )
})

test('an event that is cut short by a stop comes again at once, and no further processor starts', async (t) => {
  const begun = Promise.withResolvers<void>()
  const ran: string[] = []
  const { clients, afterStop, sendEvent } = await start(t, [
    processor(async (_event, { signal }) => {
      ran.push('first')
      begun.resolve()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    }),
    processor(() => void ran.push('second'), { name: 'second' })
  ])
  sendEvent(event('e1'))
  await begun.promise
  t.match(await afterStop(10), [{ id: 'e1', comes: 'at once' }])
  t.strictSame(ran, ['first'])
  t.ok(clients[0]?.signal.aborted, 'calls to Cloudinary end as well')
})

test('clock, chance and the wait of a receive are its own unless given', async (t) => {
  const { logged, lines, afterStop, sendEvent } = await start(
    t,
    [
      processor(({ id }) => {
        if (id === 'e1') throw new Error('a bug')
      })
    ],
    { clock: undefined, random: undefined, waitTimeSeconds: undefined } as unknown as Partial<WorkerOptions>
  )
  sendEvent(event('e1'))
  const { retryInSeconds } = await logged('event failed; it will be tried again')
  t.ok(Number(retryInSeconds) >= 1 && Number(retryInSeconds) <= 2)
  const before = Date.now()
  sendEvent(event('e2', { receivedAt: new Date(before).toISOString() }))
  const { endToEndMs } = await logged('event done')
  t.ok(Number(endToEndMs) >= 0 && Number(endToEndMs) <= Date.now() - before)
  t.notMatch(lines, [{ level: 50 }])
  const left = afterStop()
  sendEvent(event('e3')) // ends the receive that waits
  t.match(await left, [{ id: 'e3' }, { id: 'e1' }])
})
