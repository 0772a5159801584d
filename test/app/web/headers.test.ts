import t from 'tap'
import { single, traceIdOf } from '../../../app/web/headers.ts'

t.test('a header has one value or none', async (t) => {
  t.equal(single({ 'x-cld-timestamp': '1780315200' }, 'x-cld-timestamp'), '1780315200')
  t.equal(single({ 'set-cookie': ['a', 'b'] }, 'set-cookie'), undefined)
  t.equal(single({}, 'x-cld-timestamp'), undefined)
})

t.test('a trace id is the header of an ALB, however long somebody makes it', async (t) => {
  const traceId = 'Root=1-67891233-abcdef012345678912345678'
  t.equal(traceIdOf({ 'x-amzn-trace-id': traceId }), traceId)
  t.equal(traceIdOf({ 'x-amzn-trace-id': 'x'.repeat(10_000) })?.length, 256)
  t.equal(traceIdOf({}), undefined)
})
