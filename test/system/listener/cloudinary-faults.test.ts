import { Writable } from 'node:stream'
import { SQSClient } from '@aws-sdk/client-sqs'
import { pino } from 'pino'
import t from 'tap'
import { toEvents } from '../../../app/ingest/notification.ts'
import type { Journal } from '../../../app/journal/journal.ts'
import type { StateStore } from '../../../app/journal/processor-state.ts'
import { helloWorldTag } from '../../../app/listener.ts'
import { serializeError } from '../../../app/logger.ts'
import { NO_METRICS } from '../../../app/metrics/metrics.ts'
import { EventSender } from '../../../app/queue/event-sender.ts'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { memoryJournal } from '../../../app/testing/memory-journal.ts'
import { memoryState } from '../../../app/testing/memory-state.ts'
import { sampleNotification } from '../../../app/testing/samples.ts'
import { createWorker } from '../../../app/worker/create-worker.ts'
import type { FaultKind } from '../../../dev/cloudinary/faults.ts'
import { startSqs } from '../../../dev/embedded-sqs.ts'
import { buildCloudinary } from '../../support/cloudinary.ts'
import { DEFAULT_CONFIG } from '../../support/config.ts'

/** Faults by asset name. Each occurs once and is logged with `code`. */
const FAULTS: Record<string, { fault: () => FaultKind; code: string }> = {
  hanging: { fault: () => ({ kind: 'hang' }), code: 'CLOUDINARY_UNREACHABLE' },
  limited: {
    fault: () => ({ kind: 'rate_limit', status: 420, until: new Date(Date.now() + 1000) }),
    code: 'CLOUDINARY_RATE_LIMITED'
  },
  failing: { fault: () => ({ kind: 'status', status: 500 }), code: 'CLOUDINARY_UNAVAILABLE' },
  resetting: { fault: () => ({ kind: 'reset' }), code: 'CLOUDINARY_UNREACHABLE' },
  busy: { fault: () => ({ kind: 'status', status: 423 }), code: 'CLOUDINARY_UNAVAILABLE' }
}

t.test('retries when Cloudinary hangs, limits, fails, resets or is busy', async (t) => {
  const sqs = await startSqs()
  const client = new SQSClient({
    endpoint: sqs.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' }
  })
  const { cloudinary, clients } = await buildCloudinary(t, { timeoutMs: 2000 })
  const lines: Record<string, unknown>[] = []
  const log = pino(
    { serializers: { err: serializeError } },
    new Writable({
      write(chunk, _encoding, done) {
        lines.push(JSON.parse(String(chunk)))
        done()
      }
    })
  )
  const worker = createWorker({
    sqs: client,
    queueUrl: sqs.queueUrl,
    listener: { processors: [helloWorldTag()] },
    config: DEFAULT_CONFIG,
    deadLetterQueueUrl: sqs.deadLetterQueueUrl,
    clients,
    environments: { isOwnKey: () => false },
    journal: memoryJournal().journal as Journal,
    state: memoryState().store as StateStore,
    log,
    metrics: NO_METRICS,
    concurrency: 10,
    waitTimeSeconds: 1,
    random: () => 0
  })
  t.teardown(async () => {
    await worker.stop(1000)
    client.destroy()
    await sqs.stop()
  })

  const sender = new EventSender({ sqs: client, queueUrl: sqs.queueUrl })
  worker.start()
  const inject = async (publicId: string, { fault, code }: (typeof FAULTS)[string]) => {
    cloudinary.as().upload({ publicId, resourceType: 'image' })
    cloudinary.faults.add({ ...fault(), action: 'tags', publicId, count: 1 })
    const body = Buffer.from(JSON.stringify(sampleNotification('upload', { publicId })))
    const context = {
      environment: LOCAL_CLOUDINARY.cloudName,
      receivedAt: new Date(),
      signedAt: 1_780_000_000
    }
    await sender.store(toEvents(body, { ...context, isOwnKey: () => false }), AbortSignal.timeout(5000))
    await cloudinary.called(
      ({ action, publicIds, status }) => action === 'tags' && publicIds.includes(publicId) && status === 200
    )
    t.strictSame(cloudinary.assets.find(publicId)?.tags, ['Hello World!'], `${publicId} succeeds`)
    t.match(
      lines.filter(({ msg, asset }) => asset === publicId && /failed/.test(String(msg))),
      [{ outcome: 'failed', err: { code } }],
      `${publicId} fails once with ${code}`
    )
  }
  const { limited, ...others } = FAULTS
  // too few in a row to open the circuit breaker
  await Promise.all(Object.entries(others).map(([publicId, expected]) => inject(publicId, expected)))
  // alone: a rate limit opens the circuit breaker, which would fail parallel calls with another code
  await inject('limited', limited!)
  t.notMatch(JSON.stringify(lines), LOCAL_CLOUDINARY.apiSecret)
})
