import { ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api'
import fc from 'fast-check'
import t from 'tap'
import {
  contextBelow,
  parseTraceparent,
  traceparentOf,
  traceStartOf
} from '../../../app/tracing/trace-context.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

t.test('reads back the traceparent that it writes', async (t) => {
  const id = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`))
  fc.assert(
    fc.property(id(32), id(16), fc.boolean(), (traceId, spanId, isSampled) => {
      fc.pre(!/^0+$/.test(traceId) && !/^0+$/.test(spanId))
      const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE
      const written = traceparentOf({ traceId, spanId, traceFlags })
      t.match(written, /^.{55}$/)
      t.strictSame(parseTraceparent(written), { traceId, spanId, traceFlags, isRemote: true })
    })
  )
})

t.test('reads a later version and further flags, as the recommendation says', async (t) => {
  const expected = { traceId: TRACE, spanId: SPAN, traceFlags: TraceFlags.SAMPLED }
  t.match(parseTraceparent(`01-${TRACE}-${SPAN}-03-later`), expected)
  t.match(parseTraceparent(`00-${TRACE}-${SPAN}-02`), { traceFlags: TraceFlags.NONE })
})

t.test('any other value names no span', async (t) => {
  const zeros = (length: number) => '0'.repeat(length)
  for (const value of [
    undefined,
    '',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${zeros(32)}-${SPAN}-01`,
    `00-${TRACE}-${zeros(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-011`,
    `00-${TRACE}-${SPAN}-01\n`
  ]) {
    t.equal(parseTraceparent(value), undefined, String(value))
    t.equal(contextBelow(value), ROOT_CONTEXT)
  }
  fc.assert(
    fc.property(fc.string(), (value) => {
      t.equal(parseTraceparent(value), undefined)
      t.strictSame(traceStartOf({ 'x-amzn-trace-id': value }), { context: ROOT_CONTEXT })
    })
  )
})

t.test('a request starts its trace below the span that its headers name', async (t) => {
  const root = 'Root=1-67891233-abcdef012345678912345678'
  const amazonTrace = '67891233abcdef012345678912345678'
  const below = (headers: Record<string, string | string[]>) => {
    const { context, traceId } = traceStartOf(headers)
    const span = trace.getSpanContext(context)
    return span ? `${span.traceId} ${span.spanId} ${span.traceFlags}` : traceId
  }
  const traceparent = `00-${TRACE}-${SPAN}-01`
  const amazon = `${root};Parent=53995c3f42cd8ad8;Sampled=1`
  t.equal(below({ traceparent }), `${TRACE} ${SPAN} 1`)
  t.equal(below({ 'x-amzn-trace-id': amazon }), `${amazonTrace} 53995c3f42cd8ad8 1`)
  t.equal(below({ traceparent, 'x-amzn-trace-id': amazon }), `${TRACE} ${SPAN} 1`)
  t.equal(below({ traceparent: 'x', 'x-amzn-trace-id': amazon }), `${amazonTrace} 53995c3f42cd8ad8 1`)
  t.equal(below({ 'x-amzn-trace-id': root }), amazonTrace, 'a load balancer alone')
  t.equal(below({ 'x-amzn-trace-id': `Self=1-67891233-12345678abcdef012345678;${root}` }), amazonTrace)
  t.equal(below({ 'x-amzn-trace-id': `${root};Parent=53995c3f42cd8ad8` }), amazonTrace, 'not decided')
  t.equal(below({ 'x-amzn-trace-id': 'Root=1-00000000-000000000000000000000000' }), undefined)
  t.equal(below({ traceparent: [traceparent, traceparent] }), undefined)
  t.equal(below({}), undefined)
})
