import fc from 'fast-check'
import { pino } from 'pino'
import t from 'tap'
import { Ingest } from '../../../app/ingest/ingest.ts'
import { NO_METRICS } from '../../../app/metrics/metrics.ts'
import { Poller } from '../../../app/poll/poller.ts'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { signatureHeaders } from '../../../app/testing/sign.ts'
import { buildCloudinary } from '../../support/cloudinary.ts'

const NOW = 1_780_315_200_000

/** An authentic notification of an upload. */
function authentic(name: string, handle: unknown) {
  const body = JSON.stringify({ notification_type: 'upload', public_id: name, asset_id: name, version: 1 })
  const headers = signatureHeaders(Buffer.from(body), LOCAL_CLOUDINARY, NOW / 1000)
  return {
    signed_payload: Buffer.from(body).toString('base64url'),
    signature: headers['x-cld-signature'],
    timestamp: headers['x-cld-timestamp'],
    receipt_handle: handle
  }
}

/** Names are unique in a response. `good` ones must be acknowledged; Cloudinary rejects `rejected` ones. */
const element = fc.oneof(
  fc.record({ kind: fc.constant('good' as const), id: fc.nat(1e6) }),
  fc.record({ kind: fc.constant('junk' as const), value: fc.jsonValue({ maxDepth: 3 }) }),
  fc.record({
    kind: fc.constant('junk' as const),
    value: fc.record(
      {
        signed_payload: fc.jsonValue(),
        signature: fc.jsonValue(),
        timestamp: fc.jsonValue(),
        receipt_handle: fc.jsonValue()
      },
      { requiredKeys: [] }
    )
  }),
  fc.record({
    kind: fc.constant('odd handle' as const),
    id: fc.nat(1e6),
    handle: fc.oneof(fc.constantFrom(null, '', {}, [], true), fc.constant(undefined))
  })
)
const elements = fc.uniqueArray(element, { maxLength: 40, selector: (each) => ('id' in each ? each.id : {}) })

t.test('stores and acknowledges all authentic notifications of any response', async (t) => {
  const { clients } = await buildCloudinary(t)
  const { fetch } = globalThis
  t.teardown(() => {
    globalThis.fetch = fetch
  })
  await fc.assert(
    fc.asyncProperty(elements, fc.nat(2), async (given, rejections) => {
      const good = given.flatMap((each) => (each.kind === 'good' ? [String(each.id)] : []))
      const odd = given.flatMap((each) => (each.kind === 'odd handle' ? [String(each.id)] : []))
      const rejected = good.slice(0, rejections)
      const messages = given.map((each) => {
        if (each.kind === 'junk') return each.value
        const name = String(each.id)
        return authentic(name, each.kind === 'good' ? name : each.handle)
      })
      const stored: unknown[] = []
      const acknowledged: string[] = []
      const done = Promise.withResolvers<void>()
      let fetches = 0
      globalThis.fetch = async (_url, init) => {
        if (init?.method === 'POST') {
          const { receipt_handles: handles } = JSON.parse(String(init.body))
          if (handles.some((handle: string) => rejected.includes(handle))) {
            return new Response('null', { status: 400 })
          }
          acknowledged.push(...handles)
          return new Response()
        }
        if (fetches++ === 0) return Response.json({ messages })
        done.resolve()
        const { promise, reject } = Promise.withResolvers<Response>()
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason))
        return promise
      }
      const poller = new Poller({
        channel: 'orders',
        connect: (signal) => clients.for('demo', signal),
        ingest: new Ingest({
          environments: {
            verificationKeys: () => [LOCAL_CLOUDINARY],
            refreshAfterFailedSignature: async () => false,
            isOwnKey: () => false
          },
          sender: {
            async store(events) {
              stored.push(...events.map(({ asset }) => asset?.publicId))
            }
          },
          toleranceSeconds: Number.POSITIVE_INFINITY,
          metrics: NO_METRICS,
          clock: () => NOW,
          storeTimeoutMs: 1000
        }),
        metrics: NO_METRICS,
        log: pino({ enabled: false }),
        sleep: async () => {}
      })
      poller.start()
      await done.promise
      await poller.stop()
      t.strictSame(stored.toSorted(), [...good, ...odd].toSorted())
      t.strictSame(acknowledged.toSorted(), good.filter((name) => !rejected.includes(name)).toSorted())
    }),
    { numRuns: 100 }
  )
})
