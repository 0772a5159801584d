import fc from 'fast-check'
import { pino } from 'pino'
import t from 'tap'
import type { PollMessage } from '../../../app/cloudinary/poll-channel.ts'
import {
  Ingest,
  type IngestOutcome,
  type Notification,
  type NotificationSummary
} from '../../../app/ingest/ingest.ts'
import { NO_METRICS } from '../../../app/metrics/metrics.ts'
import { type BatchOptions, ingestBatch } from '../../../app/poll/poll-batch.ts'
import { RefusedMessages } from '../../../app/poll/refused-messages.ts'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { signatureHeaders } from '../../../app/testing/sign.ts'
import { memoryTracing } from '../../support/tracing.ts'

const summary: NotificationSummary = {
  environment: 'demo',
  type: 'upload',
  notificationType: 'upload',
  ids: ['1']
}
const accepted: IngestOutcome = { outcome: 'accepted', events: 1, summary }
const refused: IngestOutcome = { outcome: 'refused', code: 'SIGNATURE_INVALID', reason: 'no secret fits' }
const unavailable: IngestOutcome = {
  outcome: 'unavailable',
  code: 'QUEUE_UNAVAILABLE',
  reason: 'SQS has not stored every event',
  error: new Error('down'),
  summary
}

const message = (text: string, more: object = {}): PollMessage => ({
  signed_payload: Buffer.from(text).toString('base64url'),
  signature: `signature of ${text}`,
  timestamp: '1700000000',
  receipt_handle: `handle of ${text}`,
  ...more
})

/** The result of a batch in which these messages were completed. */
const done = (...texts: string[]) => ({
  receiptHandles: texts.map((text) => `handle of ${text}`),
  withoutHandle: 0
})

/** Ingests messages with the given outcomes, by their text. */
function build(outcomes: Record<string, IngestOutcome>, more: Partial<BatchOptions> = {}) {
  const lines: Record<string, unknown>[] = []
  const received: Notification[] = []
  let now = 0
  const options: BatchOptions = {
    ingest: {
      async receive(notification) {
        received.push(notification)
        now += 10
        return outcomes[String(notification.body)] ?? accepted
      }
    },
    refusedMessages: new RefusedMessages({ clock: () => now }),
    channel: 'orders',
    log: pino({ level: 'info' }, { write: (text) => void lines.push(JSON.parse(text)) }),
    signal: new AbortController().signal,
    until: 1000,
    elapsedMs: () => now,
    ...more
  }
  const ingestAll = (...messages: PollMessage[]) => ingestBatch(messages, options)
  return {
    ingestAll,
    lines,
    received,
    logged: () => lines.map(({ msg }) => msg)
  }
}

t.test('returns the receipt handles of stored messages in order', async (t) => {
  const { ingestAll, lines, received } = build({})
  t.strictSame(await ingestAll(message('1?>é'), message('2')), done('1?>é', '2'))
  t.match(received, [
    { body: Buffer.from('1?>é'), headers: { signature: 'signature of 1?>é', timestamp: '1700000000' } },
    { headers: { timestamp: '1700000000' } }
  ])
  t.match(lines[0], {
    msg: 'notification accepted',
    environment: 'demo',
    ids: ['1'],
    outcome: 'accepted',
    events: 1,
    milliseconds: 10
  })
  t.notMatch(JSON.stringify(lines), 'signature of')
})

t.test('all deliveries of a message have the same trace id', async (t) => {
  const { ingestAll, lines, received } = build({ stored: accepted, bad: refused, down: unavailable })
  await ingestAll(message('stored'), message('bad'), message('down'))
  await ingestAll(message('stored', { receipt_handle: 'another' }))
  const traceIds = received.map(({ traceId }) => traceId)
  for (const traceId of traceIds) t.match(traceId, /^Poll=[\w+/]{43}=$/)
  t.equal(new Set(traceIds).size, 3)
  t.equal(traceIds[3], traceIds[0])
  t.strictSame(
    lines.map(({ traceId }) => traceId),
    traceIds
  )
})

t.test('stops at a message that the queue does not store', async (t) => {
  const { ingestAll, lines, received } = build({ 2: unavailable })
  const result = await ingestAll(message('1'), message('2'), message('3'))
  t.match(result, { receiptHandles: ['handle of 1'], error: { message: 'down' } })
  t.equal(received.length, 2)
  t.match(lines[1], { msg: 'notification not stored; left in channel', code: 'QUEUE_UNAVAILABLE' })
})

t.test('leaves an unverified message for a day, logs it once, then removes it', async (t) => {
  const { ingestAll, lines, logged } = build({ bad: refused })
  t.strictSame(await ingestAll(message('bad'), message('good')), done('good'))
  t.strictSame(await ingestAll(message('bad')), done())
  t.strictSame(logged(), ['notification refused; left in channel', 'notification accepted'])
  t.match(lines[0], { level: 50, code: 'SIGNATURE_INVALID', reason: 'no secret fits' })
  const { ingestAll: again, logged: loggedAgain } = build({ bad: refused }, { refusedMessages: overAtOnce() })
  t.strictSame(await again(message('bad')), done('bad'))
  t.strictSame(loggedAgain(), ['notification refused; removed from channel'])
})

/** Returns RefusedMessages in which the message `bad` expires at once. */
function overAtOnce(): RefusedMessages {
  const refusedMessages = new RefusedMessages({ clock: () => 0, leaveMs: 0 })
  refusedMessages.record(message('bad'))
  return refusedMessages
}

t.test('stores a refused message that verifies later, and forgets the refusal', async (t) => {
  const outcomes: Record<string, IngestOutcome> = { bad: refused }
  const { ingestAll, logged } = build(outcomes)
  await ingestAll(message('bad'))
  outcomes.bad = accepted
  t.strictSame(await ingestAll(message('bad')), done('bad'))
  outcomes.bad = refused
  await ingestAll(message('bad'))
  t.match(logged(), [/^notification refused/, 'notification accepted', /^notification refused/])
})

t.test('removes a message that is too large for SQS at once', async (t) => {
  const large: IngestOutcome = {
    outcome: 'refused',
    code: 'EVENT_TOO_LARGE',
    reason: '2000000 bytes',
    summary
  }
  const { ingestAll, lines } = build({ large })
  t.strictSame(await ingestAll(message('large')), done('large'))
  t.match(lines, [{ msg: /removed/, code: 'EVENT_TOO_LARGE', ids: ['1'] }])
})

t.test('starts no message after the time or the signal', async (t) => {
  const { ingestAll, received } = build({}, { until: 15 })
  t.strictSame(await ingestAll(message('1'), message('2'), message('3')), done('1', '2'))
  const { ingestAll: stopped } = build({}, { signal: AbortSignal.abort() })
  t.strictSame(await stopped(message('1')), done())
  t.equal(received.length, 2)
})

t.test('passes a message without fields to the verification', async (t) => {
  const { ingestAll, received } = build({ '': refused })
  t.strictSame(await ingestAll({}), done())
  t.match(received, [{ body: Buffer.alloc(0), headers: { signature: undefined, timestamp: undefined } }])
})

t.test('stores and counts a message without a receipt handle', async (t) => {
  const { ingestAll, logged } = build({})
  const result = await ingestAll(message('1', { receipt_handle: undefined }), message('2'))
  t.strictSame(result, { ...done('2'), withoutHandle: 1 })
  t.strictSame(logged(), ['notification accepted', 'notification accepted'])
})

t.test('a message that triggers a bug does not affect the others', async (t) => {
  const { ingestAll, lines } = build(
    {},
    {
      ingest: {
        async receive({ body }) {
          if (String(body) === 'odd') throw new TypeError('a defect')
          return accepted
        }
      }
    }
  )
  t.strictSame(await ingestAll(message('1'), message('odd'), message('2')), done('1', '2'))
  t.match(lines[1], { level: 50, code: 'INTERNAL', err: { message: 'a defect' } })
})

t.test('verifies any signed bytes, with and without base64 padding, and no others', async (t) => {
  const ingest = new Ingest({
    environments: {
      verificationKeys: () => [LOCAL_CLOUDINARY],
      refreshAfterFailedSignature: async () => false,
      isOwnKey: () => false
    },
    sender: { store: async () => {} },
    toleranceSeconds: Number.POSITIVE_INFINITY,
    metrics: NO_METRICS,
    clock: () => 1_780_315_200_000,
    storeTimeoutMs: 1000
  })
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 200 })
  // any age
  const seconds = fc.integer({ min: 1_000_000_000, max: 1_780_315_200 })
  const index = fc.nat()
  await fc.assert(
    fc.asyncProperty(bytes, seconds, fc.boolean(), index, async (body, timestamp, padded, where) => {
      const { ingestAll, logged } = build({}, { ingest })
      const headers = signatureHeaders(body, LOCAL_CLOUDINARY, timestamp)
      const encoded = Buffer.from(body).toString('base64url')
      const padding = '='.repeat(padded ? (4 - (encoded.length % 4)) % 4 : 0)
      const proof = {
        signature: headers['x-cld-signature'],
        timestamp: String(timestamp),
        receipt_handle: '1'
      }
      const other = Buffer.from(body)
      other[where % other.length]! ^= 1
      const { receiptHandles } = await ingestAll(
        { ...proof, signed_payload: encoded + padding },
        { ...proof, signed_payload: other.toString('base64url') }
      )
      t.strictSame(receiptHandles, ['1'])
      t.match(logged(), ['notification accepted', /^notification refused/])
    }),
    { numRuns: 50 }
  )
})

t.test('each message has a span', async (t) => {
  const { tracing, spans } = memoryTracing()
  const { ingestAll, received } = build({ bad: refused }, { tracing })
  await ingestAll(message('good'), message('bad'))
  t.ok(received.every(({ span }) => span))
  t.strictSame(spans, ['end accepted', 'end refused SIGNATURE_INVALID'])
})
