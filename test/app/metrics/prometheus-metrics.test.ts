import t, { type Test } from 'tap'
import { METRICS } from '../../../app/metrics/metric-names.ts'
import { PrometheusMetrics } from '../../../app/metrics/prometheus-metrics.ts'
import { freePort } from '../../support/system.ts'

async function build(t: Test) {
  const port = await freePort()
  const metrics = new PrometheusMetrics({ role: 'worker', port, host: '127.0.0.1' })
  await metrics.listen()
  metrics.start()
  t.teardown(() => metrics.stop())
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`)
  const scrape = async () => (await (await get('/metrics')).text()).split('\n').filter(Boolean)
  return { metrics, port, get, scrape }
}

t.test('serves counts, durations in seconds and gauges, with labels', async (t) => {
  const { metrics, get, scrape } = await build(t)
  let open = 0
  metrics.gauge('BreakerOpen', () => open)
  metrics.count('EventsStored', 2)
  metrics.count('EventsStored', 3)
  metrics.count('NotificationsRefused', 1, { Reason: 'SIGNATURE_INVALID' })
  metrics.time('ProcessorDuration', 40, { Processor: 'say "hi"' })
  metrics.time('ProcessorDuration', 1600, { Processor: 'say "hi"' })
  metrics.time('EndToEndLatency', -5)
  metrics.time('AckLatency', Number.NaN)
  open = 1
  const lines = await scrape()
  for (const line of [
    `# HELP cloudinary_listener_events_stored_total ${METRICS.EventsStored.meaning}`,
    '# TYPE cloudinary_listener_events_stored_total counter',
    'cloudinary_listener_events_stored_total{role="worker"} 5',
    'cloudinary_listener_notifications_refused_total{role="worker",reason="SIGNATURE_INVALID"} 1',
    '# TYPE cloudinary_listener_processor_duration_seconds histogram',
    'cloudinary_listener_processor_duration_seconds_count{role="worker",processor="say \\"hi\\""} 2',
    'cloudinary_listener_processor_duration_seconds_sum{role="worker",processor="say \\"hi\\""} 1.6400000000000001',
    'cloudinary_listener_processor_duration_seconds_bucket{role="worker",processor="say \\"hi\\"",le="0.03"} 0',
    'cloudinary_listener_processor_duration_seconds_bucket{role="worker",processor="say \\"hi\\"",le="0.05"} 1',
    'cloudinary_listener_processor_duration_seconds_bucket{role="worker",processor="say \\"hi\\"",le="2"} 2',
    'cloudinary_listener_processor_duration_seconds_bucket{role="worker",processor="say \\"hi\\"",le="+Inf"} 2',
    'cloudinary_listener_end_to_end_latency_seconds_sum{role="worker"} 0',
    '# TYPE cloudinary_listener_breaker_open gauge',
    'cloudinary_listener_breaker_open{role="worker"} 1'
  ]) {
    t.ok(lines.includes(line), line)
  }
  t.notMatch(lines.join('\n'), /ack_latency|target_info|otel_scope/)
  t.equal((await get('/')).status, 404)
})

t.test('a metric has a limited number of label sets', async (t) => {
  const { metrics, scrape } = await build(t)
  for (let number = 0; number < 1000; number++) {
    metrics.count('NotificationsRefused', 1, { Reason: `CODE_${number}` })
  }
  const series = (await scrape()).filter((line) => line.startsWith('cloudinary_'))
  t.ok(series.length <= 201)
  t.match(series.join('\n'), /otel_metric_overflow="true"\} \d+/)
})

t.test('says that its port is taken', async (t) => {
  const { port } = await build(t)
  const second = new PrometheusMetrics({ role: 'web', port, host: '127.0.0.1' })
  await t.rejects(second.listen(), {
    code: 'METRICS_PORT_UNAVAILABLE',
    message: `METRICS_PORT ${port} cannot be opened (EADDRINUSE); choose a free port`
  })
  await second.stop()
})
