import t from 'tap'
import { combineMetrics } from '../../../app/metrics/combined-metrics.ts'
import type { RoleMetrics } from '../../../app/metrics/metrics.ts'

t.test('records each metric in all parts, and waits until all have stopped', async (t) => {
  const calls: unknown[][] = []
  const part = (name: string): RoleMetrics => ({
    count: (...given) => void calls.push([name, 'count', ...given]),
    time: (...given) => void calls.push([name, 'time', ...given]),
    gauge: (gauge, read) => void calls.push([name, 'gauge', gauge, read()]),
    start: () => void calls.push([name, 'start']),
    stop: async () => void calls.push([name, 'stop'])
  })
  const metrics = combineMetrics([part('a'), part('b')])
  metrics.start()
  metrics.count('NotificationsRefused', 2, { Reason: 'SIGNATURE_MISSING' })
  metrics.time('AckLatency', 3)
  metrics.gauge('BreakerOpen', () => 1)
  await metrics.stop()
  const of = (name: string) => calls.filter(([part]) => part === name).map(([, ...call]) => call)
  t.strictSame(of('a'), [
    ['start'],
    ['count', 'NotificationsRefused', 2, { Reason: 'SIGNATURE_MISSING' }],
    ['time', 'AckLatency', 3],
    ['gauge', 'BreakerOpen', 1],
    ['stop']
  ])
  t.strictSame(of('b'), of('a'))
})
