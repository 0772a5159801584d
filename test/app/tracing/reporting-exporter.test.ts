import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'
import t from 'tap'
import { ReportingExporter } from '../../../app/tracing/reporting-exporter.ts'
import { memoryLog } from '../../support/activity.ts'

t.test('logs lost spans once a minute, without the path of a URL', async (t) => {
  let code = 0
  let isShutDown = false
  const inner: SpanExporter = {
    export: (_spans, done) => {
      const error = new Error('cannot reach https://collector.example.com/secret-path')
      done(code === 0 ? { code } : { code, error })
    },
    shutdown: async () => {
      isShutDown = true
    }
  }
  let now = 0
  const { log, lines } = memoryLog()
  const exporter = new ReportingExporter(inner, log, () => now)
  const codes: number[] = []
  const send = (spans: number) =>
    exporter.export(new Array<ReadableSpan>(spans), (result) => void codes.push(result.code))
  send(1)
  t.strictSame(lines, [])
  code = 1
  send(2)
  now = 59_999
  send(3)
  now = 60_000
  send(4)
  t.match(lines, [
    {
      code: 'TRACE_EXPORT_FAILED',
      spans: 2,
      err: { message: 'cannot reach https://collector.example.com/…' }
    },
    { code: 'TRACE_EXPORT_FAILED', spans: 7 }
  ])
  t.strictSame(codes, [0, 1, 1, 1])
  await exporter.shutdown()
  t.ok(isShutDown)
})

t.test('has a clock of its own by default', async (t) => {
  const { log, lines } = memoryLog()
  const failing = { export: (_: unknown, done: (result: { code: number }) => void) => done({ code: 1 }) }
  const exporter = new ReportingExporter(failing as unknown as SpanExporter, log)
  exporter.export([], () => {})
  exporter.export([], () => {})
  t.equal(lines.length, 1)
})
