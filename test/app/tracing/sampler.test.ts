import { ROOT_CONTEXT, SamplingDecision, SpanKind, trace } from '@opentelemetry/api'
import t from 'tap'
import { createSampler } from '../../../app/tracing/sampler.ts'
import { parseTraceparent } from '../../../app/tracing/trace-context.ts'
import type { TracingConfig } from '../../../app/tracing/tracing.ts'

const TRACE = 'f'.repeat(32)

/** Whether a trace is sampled: a new one, below a span that is not sampled, and below one that is. */
function decisions(config: TracingConfig): boolean[] {
  const sampler = createSampler(config)
  return [undefined, '00', '01'].map((flags) => {
    const parent = flags && parseTraceparent(`00-${TRACE}-00f067aa0ba902b7-${flags}`)
    const context = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT
    const { decision } = sampler.shouldSample(context, TRACE, 'span', SpanKind.SERVER, {}, [])
    return decision === SamplingDecision.RECORD_AND_SAMPLED
  })
}

t.test('by default follows the sender, and samples all other traces', async (t) => {
  t.strictSame(decisions({}), [true, false, true])
})

t.test('follows OTEL_TRACES_SAMPLER', async (t) => {
  const of = (name: TracingConfig['OTEL_TRACES_SAMPLER'], share?: number) =>
    decisions({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: share })
  t.strictSame(of('always_on'), [true, true, true])
  t.strictSame(of('always_off'), [false, false, false])
  t.strictSame(of('traceidratio'), [true, true, true])
  t.strictSame(of('traceidratio', 0), [false, false, false])
  t.strictSame(of('parentbased_always_on'), [true, false, true])
  t.strictSame(of('parentbased_always_off'), [false, false, true])
  t.strictSame(of('parentbased_traceidratio', 0), [false, false, true])
  t.strictSame(of('parentbased_traceidratio', 1), [true, false, true])
})
