import t from 'tap'
import { NO_METRICS } from '../../../app/metrics/metrics.ts'

t.test('NO_METRICS reads no gauge', async (t) => {
  let reads = 0
  NO_METRICS.gauge('BreakerOpen', () => ++reads)
  NO_METRICS.start()
  NO_METRICS.count('EventsProcessed', 1)
  NO_METRICS.time('ProcessorDuration', 12, { Processor: 'mine' })
  NO_METRICS.stop()
  t.equal(reads, 0)
})
