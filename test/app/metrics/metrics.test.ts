import t from 'tap'
import { NO_METRICS } from '../../../app/metrics/metrics.ts'

t.test('where no metrics are asked for, telling them does nothing, and no gauge is read', async (t) => {
  NO_METRICS.gauge('BreakerOpen', () => Number(t.fail('nobody asked')))
  NO_METRICS.start()
  NO_METRICS.count('EventsProcessed', 1)
  NO_METRICS.time('ProcessorDuration', 12, { Processor: 'mine' })
  NO_METRICS.stop()
})
