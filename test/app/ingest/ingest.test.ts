import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { Environments } from '../../../app/credentials/environments.ts'
import type { SecretSource } from '../../../app/credentials/secret-source.ts'
import { ListenerError } from '../../../app/errors.ts'
import type { AssetEvent } from '../../../app/ingest/event.ts'
import { Ingest, type IngestOptions } from '../../../app/ingest/ingest.ts'
import { createLogger } from '../../../app/logger.ts'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { sampleNotification } from '../../../app/testing/samples.ts'
import { type SigningKey, signatureHeaders } from '../../../app/testing/sign.ts'
import { memoryMetrics } from '../../support/metrics.ts'
import { memoryTracing } from '../../support/tracing.ts'

/** 2026-06-01T12:00:00Z, in seconds. */
const NOW = 1_780_315_200

const UPLOAD = Buffer.from(JSON.stringify(sampleNotification('upload', { now: new Date(NOW * 1000) })))

/** Builds an Ingest with its clock at NOW, which collects events in `stored`. */
async function build({
  source,
  elapsedMs,
  ...overrides
}: Partial<IngestOptions> & { source?: SecretSource; elapsedMs?: () => number } = {}) {
  const stored: AssetEvent[] = []
  const environments = new Environments({
    source: source ?? { fixed: true, read: async () => ({ current: [LOCAL_CLOUDINARY], previous: [] }) },
    log: createLogger({ level: 'silent', role: 'test' }),
    ...(elapsedMs && { clock: elapsedMs })
  })
  await environments.load()
  const { metrics, counts } = memoryMetrics()
  const ingest = new Ingest({
    environments,
    sender: { store: async (events) => void stored.push(...events) },
    metrics,
    toleranceSeconds: 7200,
    clock: () => NOW * 1000,
    storeTimeoutMs: 1000,
    ...overrides
  })
  return { ingest, stored, counts }
}

function signed(body: Uint8Array, { key = LOCAL_CLOUDINARY as SigningKey, seconds = NOW } = {}) {
  const headers = signatureHeaders(body, key, seconds)
  return { body, headers: { signature: headers['x-cld-signature'], timestamp: headers['x-cld-timestamp'] } }
}

t.test('accepts an authentic notification after storing its events', async (t) => {
  const { ingest, stored } = await build()
  const outcome = await ingest.receive({ ...signed(UPLOAD), traceId: 'Root=1' })
  t.strictSame(outcome, {
    outcome: 'accepted',
    events: 1,
    summary: { environment: 'demo', type: 'upload', notificationType: 'upload', ids: [stored[0]?.id] }
  })
  t.match(stored, [{ type: 'upload', traceId: 'Root=1', receivedAt: '2026-06-01T12:00:00.000Z' }])
})

t.test('summarizes only the first ids of many events', async (t) => {
  const { ingest, stored } = await build()
  const body = Buffer.from(JSON.stringify(sampleNotification('resource_tags_changed', { count: 30 })))
  const outcome = await ingest.receive(signed(body))
  t.match(outcome, { outcome: 'accepted', events: 30 })
  t.strictSame(
    outcome.summary?.ids,
    stored.slice(0, 20).map(({ id }) => id)
  )
  t.notOk(stored[0] && 'traceId' in stored[0])
})

t.test('refuses invalid headers before reading the body', async (t) => {
  const { ingest, stored } = await build()
  const headers = { signature: undefined, timestamp: undefined }
  t.match(ingest.check(headers), { outcome: 'refused', code: 'SIGNATURE_MISSING' })
  const old = signed(UPLOAD, { seconds: NOW - 7201 })
  t.match(await ingest.receive(old), { outcome: 'refused', code: 'SIGNATURE_EXPIRED', summary: undefined })
  t.strictSame(stored, [])
})

t.test('refuses an unverified body and stores nothing', async (t) => {
  const { ingest, stored } = await build()
  const { headers } = signed(UPLOAD)
  const outcome = await ingest.receive({ body: Buffer.concat([UPLOAD, Buffer.from(' ')]), headers })
  t.match(outcome, { outcome: 'refused', code: 'SIGNATURE_INVALID', summary: undefined })
  t.strictSame(stored, [])
})

t.test('refreshes the secret after a failed signature, with a minimum gap', async (t) => {
  let current = [{ cloudName: 'demo', apiKey: '1', apiSecret: 'the-old-secret' }]
  let elapsedMs = 0
  const source = { read: async () => ({ current, previous: [] }) }
  const { ingest } = await build({ source, elapsedMs: () => elapsedMs })
  current = [{ cloudName: 'demo', apiKey: '2', apiSecret: 'the-new-secret' }]
  const notification = signed(UPLOAD, { key: { apiSecret: 'the-new-secret' } })
  t.match(await ingest.receive(notification), { outcome: 'refused', code: 'SIGNATURE_INVALID' })
  elapsedMs = 30_000
  t.match(await ingest.receive(notification), { outcome: 'accepted' })
})

t.test('is unavailable if the queue does not store, with the cause', async (t) => {
  const error = new ListenerError('QUEUE_UNAVAILABLE', 'SQS has not stored 1 of 1 events')
  const { ingest } = await build({ sender: { store: async () => Promise.reject(error) } })
  t.match(await ingest.receive(signed(UPLOAD)), {
    outcome: 'unavailable',
    code: 'QUEUE_UNAVAILABLE',
    error,
    summary: { type: 'upload' }
  })
})

t.test('times out if the queue is too slow', async (t) => {
  const { ingest } = await build({
    storeTimeoutMs: 1,
    sender: { store: (_events, signal) => pause(60_000, undefined, { signal }) }
  })
  t.match(await ingest.receive(signed(UPLOAD)), {
    outcome: 'unavailable',
    error: { cause: { name: 'TimeoutError' } }
  })
})

t.test('counts each notification once by its outcome', async (t) => {
  const { ingest, counts } = await build()
  await ingest.receive(signed(UPLOAD))
  await ingest.receive(signed(Buffer.from(JSON.stringify(sampleNotification('delete', { count: 3 })))))
  await ingest.receive(signed(UPLOAD, { seconds: NOW - 7201 }))
  await ingest.receive({ ...signed(UPLOAD), body: Buffer.from('tampered') })
  ingest.check({ signature: undefined, timestamp: undefined })
  t.strictSame(counts, {
    NotificationsAccepted: 2,
    EventsStored: 4,
    'NotificationsRefused SIGNATURE_EXPIRED': 1,
    'NotificationsRefused SIGNATURE_INVALID': 1,
    'NotificationsRefused SIGNATURE_MISSING': 1
  })
  const down = await build({ sender: { store: async () => Promise.reject(new Error('down')) } })
  await down.ingest.receive(signed(UPLOAD))
  t.strictSame(down.counts, { 'NotificationsUnavailable QUEUE_UNAVAILABLE': 1 })
})

t.test('refuses an event that is too large for SQS', async (t) => {
  const error = new ListenerError('EVENT_TOO_LARGE', 'the event has 2000000 bytes')
  const { ingest } = await build({ sender: { store: async () => Promise.reject(error) } })
  t.match(await ingest.receive(signed(UPLOAD)), {
    outcome: 'refused',
    code: 'EVENT_TOO_LARGE',
    reason: /bytes/,
    summary: { type: 'upload' }
  })
})

t.test('events state the role that received them', async (t) => {
  const { ingest, stored } = await build({ role: 'poll' })
  await ingest.receive(signed(UPLOAD))
  t.equal(stored[0]?.source, 'poll')
})

t.test('reports each refused notification with its headers and the length of its body', async (t) => {
  const refusals: unknown[] = []
  const { ingest } = await build({ onRefused: (refusal) => refusals.push(refusal) })
  const missing = { signature: undefined, timestamp: undefined }
  await ingest.receive({ body: UPLOAD, headers: missing })
  const { headers } = signed(UPLOAD)
  const forged = { signature: 'ab'.repeat(20), timestamp: headers.timestamp }
  await ingest.receive({ body: UPLOAD, headers: forged })
  await ingest.receive(signed(UPLOAD))
  t.strictSame(refusals, [
    { code: 'SIGNATURE_MISSING', headers: missing },
    { code: 'SIGNATURE_INVALID', headers: forged, bytes: UPLOAD.length }
  ])
})

t.test('traces authentic notifications alone', async (t) => {
  const { tracing, spans } = memoryTracing()
  const { ingest, stored } = await build()
  const span = tracing.receive({ kind: 'poll', channel: 'orders', startedAt: 0, traceId: undefined })
  await ingest.receive({ ...signed(UPLOAD), body: Buffer.from('{}'), span })
  t.strictSame(spans, [])
  await ingest.receive({ ...signed(UPLOAD), span })
  t.strictSame(spans, ['poll orders in demo'])
  t.equal(stored.length, 1)
})
