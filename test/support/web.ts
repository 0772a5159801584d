import { Writable } from 'node:stream'
import { SQSClient } from '@aws-sdk/client-sqs'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { pino } from 'pino'
import type { Test } from 'tap'
import { Environments } from '../../app/credentials/environments.ts'
import type { SecretSource } from '../../app/credentials/secret-source.ts'
import { serializeError } from '../../app/logger.ts'
import { EventSender } from '../../app/queue/event-sender.ts'
import { probeQueue } from '../../app/queue/sqs-client.ts'
import { LOCAL_CLOUDINARY } from '../../app/testing/defaults.ts'
import { signatureHeaders } from '../../app/testing/sign.ts'
import { Lifecycle } from '../../app/web/lifecycle.ts'
import { buildServer, type ServerOptions } from '../../app/web/server.ts'
import { type EmbeddedSqs, startSqs } from '../../dev/embedded-sqs.ts'
import { memoryMetrics } from './metrics.ts'

/** 2026-06-01T12:00:00Z */
export const NOW = 1_780_315_200_000

export interface WebUnderTest {
  app: FastifyInstance
  lifecycle: Lifecycle
  queue: EmbeddedSqs
  /** All log lines so far, parsed. */
  lines: Record<string, unknown>[]
  /** Counters and durations so far. */
  counts: Record<string, number>
  durations: Record<string, number[]>
  /** Returns the parsed bodies of the messages in the queue. */
  stored: () => Record<string, unknown>[]
  /** Sends a notification signed at NOW; a header of undefined is omitted. */
  post: (
    body: string | Buffer,
    headers?: Record<string, string | undefined>
  ) => Promise<LightMyRequestResponse>
}

/** Builds the web role on an embedded queue, with its clock at NOW and the environment `demo`. */
export async function buildWeb(
  t: Test,
  overrides: Partial<Omit<ServerOptions, 'environments'>> & {
    source?: SecretSource
    /** Clock for the age of the secret, in milliseconds. */
    elapsedMs?: () => number
    sqsEndpoint?: string
  } = {}
): Promise<WebUnderTest> {
  const queue = await startSqs()
  const lines: Record<string, unknown>[] = []
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)))
      done()
    }
  })
  const log = pino({ level: 'debug', serializers: { err: serializeError } }, sink)
  const { source, elapsedMs, sqsEndpoint, ...rest } = overrides
  const environments = new Environments({
    source: source ?? { read: async () => ({ current: [LOCAL_CLOUDINARY], previous: [] }), fixed: true },
    log,
    ...(elapsedMs && { clock: elapsedMs })
  })
  await environments.load()
  const sqs = new SQSClient({
    region: 'us-east-1',
    endpoint: sqsEndpoint ?? queue.url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    useQueueUrlAsEndpoint: false,
    maxAttempts: 1
  })
  const { metrics, counts, durations } = memoryMetrics()
  const lifecycle = new Lifecycle()
  lifecycle.state = 'ready'
  const app = buildServer({
    log,
    lifecycle,
    environments,
    sender: new EventSender({ sqs, queueUrl: queue.queueUrl }),
    probeQueue: () => probeQueue(sqs, queue.queueUrl),
    metrics,
    toleranceSeconds: 7200,
    bodyLimitBytes: 1024 * 1024,
    clock: () => NOW,
    ...rest
  })
  t.teardown(async () => {
    await app.close()
    sqs.destroy()
    await queue.stop()
  })
  return {
    app,
    lifecycle,
    queue,
    lines,
    counts,
    durations,
    stored: () =>
      queue.server
        .inspectQueue('cloudinary-events.fifo')
        ?.messages.ready.map(({ body }) => JSON.parse(body)) ?? [],
    post: async (payload, headers) => {
      const all = Object.entries({ 'content-type': 'application/json', ...signed(payload), ...headers })
      return app.inject({
        method: 'POST',
        url: '/webhooks/cloudinary',
        payload,
        headers: Object.fromEntries(all.filter(([, value]) => value !== undefined))
      })
    }
  }
}

/** Returns the headers of a notification signed at NOW plus `afterSeconds`. */
export function signed(body: string | Buffer, afterSeconds = 0) {
  return signatureHeaders(body, LOCAL_CLOUDINARY, NOW / 1000 + afterSeconds)
}
