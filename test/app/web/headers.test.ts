import t from 'tap'
import { headerValue, signatureHeaders, traceIdOf } from '../../../app/web/headers.ts'

t.test('returns a single value or none', async (t) => {
  t.equal(headerValue({ 'x-cld-timestamp': '1780315200' }, 'x-cld-timestamp'), '1780315200')
  t.equal(headerValue({ 'set-cookie': ['a', 'b'] }, 'set-cookie'), undefined)
  t.equal(headerValue({}, 'x-cld-timestamp'), undefined)
})

t.test('returns the headers of a signature', async (t) => {
  t.strictSame(signatureHeaders({ 'x-cld-signature': 'ab', 'x-cld-timestamp': '1', host: 'h' }), {
    signature: 'ab',
    timestamp: '1',
    signatureV2: undefined
  })
})

t.test('truncates the trace id of the load balancer', async (t) => {
  const traceId = 'Root=1-67891233-abcdef012345678912345678'
  t.equal(traceIdOf({ 'x-amzn-trace-id': traceId }), traceId)
  t.equal(traceIdOf({ 'x-amzn-trace-id': 'x'.repeat(10_000) })?.length, 256)
  t.equal(traceIdOf({}), undefined)
})
