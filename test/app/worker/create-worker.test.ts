import { EventEmitter, once } from 'node:events'
import { SQSClient } from '@aws-sdk/client-sqs'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { Breaker } from '../../../app/cloudinary/breaker.ts'
import type { CloudinaryClients } from '../../../app/cloudinary/clients.ts'
import { CloudinaryError } from '../../../app/cloudinary/cloudinary-error.ts'
import { PermanentError } from '../../../app/errors.ts'
import type { AssetEvent } from '../../../app/ingest/event.ts'
import type { Journal } from '../../../app/journal/journal.ts'
import type { StateStore } from '../../../app/journal/processor-state.ts'
import type { Processor } from '../../../app/listener.ts'
import { SERIALIZERS } from '../../../app/logger.ts'
import { encodeMessage } from '../../../app/queue/message-codec.ts'
import { memoryJournal } from '../../../app/testing/memory-journal.ts'
import { memoryState } from '../../../app/testing/memory-state.ts'
import { createWorker, type WorkerOptions } from '../../../app/worker/create-worker.ts'
import { DEAD_LETTER_QUEUE_NAME, QUEUE_NAME, startSqs } from '../../../dev/embedded-sqs.ts'
import { DEFAULT_CONFIG } from '../../support/config.ts'
import { sampleEvent } from '../../support/events.ts'
import { memoryMetrics } from '../../support/metrics.ts'

const PLENTY_MS = 60_000

const ROTATED_IN = '200000000000002'

/** A started worker on a real queue, with one processor that is on uploads. */
async function start(t: Test, handle: Processor['handle'], more: Partial<WorkerOptions> = {}) {
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
  const breaker = new Breaker({ random: () => 0 })
  const { journal, entries } = memoryJournal()
  const worker = createWorker({
    sqs,
    queueUrl: queue.queueUrl,
    deadLetterQueueUrl: queue.deadLetterQueueUrl,
    listener: { processors: [{ name: 'mine', on: ['upload'], handle }] },
    config: DEFAULT_CONFIG,
    clients: {
      for: () => ({}),
      breaker: () => breaker,
      get capacity() {
        return breaker.capacity
      }
    } as unknown as CloudinaryClients,
    environments: { isOwnKey: (_cloudName, apiKey) => apiKey === ROTATED_IN },
    journal: journal as Journal,
    state: memoryState().store as StateStore,
    log: pino({ serializers: SERIALIZERS }, { write }),
    metrics: memoryMetrics().metrics,
    concurrency: 10,
    waitTimeSeconds: 0,
    random: () => 0,
    ...more
  })
  t.teardown(async () => {
    await worker.stop(0)
    sqs.destroy()
    await queue.stop()
  })
  worker.start()
  const messagesIn = (name: string) => {
    const { ready, inflight } = queue.server.inspectQueue(name)!.messages
    return [...ready, ...inflight.map(({ message }) => message)].map(({ body }) => body)
  }
  return {
    worker,
    lines,
    entries,
    breaker,
    messagesIn,
    send: (event: AssetEvent | string) => {
      const [body, id] = typeof event === 'string' ? [event, event] : [encodeMessage(event), event.id]
      queue.server.sendMessage(QUEUE_NAME, body, { messageGroupId: id, messageDeduplicationId: id })
    },
    async logged(msg: string) {
      for (;;) {
        const line = lines.find((each) => each.msg === msg)
        if (line) return line
        await once(written, 'line')
      }
    }
  }
}

t.test('processes an event, journals it and deletes its message', async (t) => {
  const { send, logged, worker, entries, messagesIn } = await start(t, () => 'a note')
  const upload = sampleEvent('upload')
  send(upload)
  t.match(await logged('event processed'), { eventId: upload.id, processor: 'mine', note: 'a note' })
  await worker.stop(PLENTY_MS)
  t.match(entries.get(upload.id), { status: 'done' })
  t.strictSame(messagesIn(QUEUE_NAME), [])
})

t.test('recognizes an own change that the web task did not', async (t) => {
  const { send, logged, worker, entries } = await start(t, () => 'a note')
  const event = sampleEvent('upload', { apiKey: ROTATED_IN })
  t.notOk(event.origin.own)
  send(event)
  await logged('event ignored')
  await worker.stop(PLENTY_MS)
  t.match(entries.get(event.id), { status: 'ignored' })
})

t.test('dead-letters events that cannot succeed and messages that cannot be read', async (t) => {
  const { send, logged, worker, messagesIn } = await start(t, () => {
    throw new PermanentError('never')
  })
  const upload = sampleEvent('upload')
  send(upload)
  send('not an event')
  await logged('event dead-lettered')
  await logged('message dead-lettered')
  await worker.stop(PLENTY_MS)
  t.strictSame(messagesIn(DEAD_LETTER_QUEUE_NAME).sort(), [encodeMessage(upload), 'not an event'].sort())
  t.strictSame(messagesIn(QUEUE_NAME), [])
})

t.test('calls the hook of a processor for a dead letter', async (t) => {
  const { promise, resolve } = Promise.withResolvers<unknown[]>()
  const failing: Processor = {
    name: 'mine',
    on: ['upload'],
    handle() {
      throw new PermanentError('never')
    },
    deadLettered: (...given) => resolve(given)
  }
  const { send } = await start(t, () => {}, { listener: { processors: [failing] } })
  const upload = sampleEvent('upload')
  send(upload)
  t.match(await promise, [upload, { processor: 'mine', code: 'PERMANENT', message: 'never' }, {}])
})

t.test('retries a failed event', async (t) => {
  let runs = 0
  const { send, logged, worker, messagesIn } = await start(t, () => {
    if (++runs === 1) throw new Error('not yet')
  })
  send(sampleEvent('upload'))
  t.match(await logged('event failed; will be retried'), { attempt: 1, retryInSeconds: 1 })
  await logged('event processed')
  await worker.stop(PLENTY_MS)
  t.equal(runs, 2)
  t.strictSame(messagesIn(QUEUE_NAME), [])
})

t.test('receives no messages while Cloudinary is down', async (t) => {
  let fails = true
  const failure = new CloudinaryError('CLOUDINARY_UNAVAILABLE', 'add tag', { kind: 'retryable' }, 503)
  const { send, logged, breaker, lines } = await start(t, () => {
    if (fails) breaker.observe(failure)
    else breaker.succeeded()
  })
  for (let i = 0; i < 5; i++) breaker.observe(failure)
  t.equal(breaker.capacity, 0)
  fails = false
  send(sampleEvent('upload'))
  await logged('event processed')
  t.ok(breaker.isClosed)
  t.equal(lines.length, 1, 'the event ran once')
})

t.test('returns an interrupted event to the queue', async (t) => {
  const started = Promise.withResolvers<void>()
  const { send, worker, messagesIn, entries } = await start(t, () => {
    started.resolve()
    return new Promise<void>(() => {})
  })
  const upload = sampleEvent('upload')
  send(upload)
  await started.promise
  await worker.stop(20)
  t.strictSame(messagesIn(QUEUE_NAME), [encodeMessage(upload)])
  const [record] = Object.values(entries.get(upload.id)?.processors ?? {})
  t.match(record, { outcome: 'failed', attempts: 0 }, 'the run does not count')
})

t.test('has defaults for clock, random and wait time', async (t) => {
  const defaults = { clock: undefined, random: undefined, waitTimeSeconds: undefined }
  const { send, logged } = await start(
    t,
    () => {
      throw new Error('not yet')
    },
    defaults as unknown as Partial<WorkerOptions>
  )
  send(sampleEvent('upload'))
  const { retryInSeconds } = await logged('event failed; will be retried')
  t.ok(Number(retryInSeconds) >= 1 && Number(retryInSeconds) <= 2)
})
