import { mock } from 'node:test'
import fc from 'fast-check'
import { pino } from 'pino'
import t from 'tap'
import { EmfMetrics, type EmfMetricsOptions } from '../../../app/metrics/emf.ts'
import { faultsOf, metricsOf } from '../../support/emf.ts'

const NAMESPACE = 'Cloudinary/Listener'

/** Builds metrics of a worker, which are written at each `beat`. */
function build(overrides: Partial<EmfMetricsOptions> = {}) {
  const lines: string[] = []
  const warnings: Record<string, unknown>[] = []
  const timer = { milliseconds: 0, stopped: false, beat: () => {} }
  const time = { now: Date.now() }
  const metrics = new EmfMetrics({
    namespace: NAMESPACE,
    role: 'worker',
    write: (line) => void lines.push(line),
    log: pino({}, { write: (line) => void warnings.push(JSON.parse(line)) }),
    clock: () => time.now,
    every: (milliseconds, beat) => {
      Object.assign(timer, { milliseconds, beat })
      return () => {
        timer.stopped = true
      }
    },
    ...overrides
  })
  metrics.start()
  return { metrics, lines, warnings, timer, time, parsed: () => lines.map((line) => JSON.parse(line)) }
}

const sum = (values: readonly number[] = []) => values.reduce((total, value) => total + value, 0)

t.test('writes one line per minute and set of dimensions', async (t) => {
  const { metrics, parsed, timer, time } = build()
  t.equal(timer.milliseconds, 60_000)
  metrics.count('EventsProcessed', 1)
  metrics.count('EventsProcessed', 2)
  metrics.time('EndToEndLatency', 12.4)
  metrics.time('EndToEndLatency', 700)
  metrics.count('ProcessorProcessed', 1, { Processor: 'tag' })
  t.strictSame(parsed(), [], 'nothing before the minute is over')
  time.now += 60_000
  timer.beat()
  t.strictSame(parsed(), [
    {
      _aws: {
        Timestamp: time.now,
        CloudWatchMetrics: [
          {
            Namespace: NAMESPACE,
            Dimensions: [['Role']],
            Metrics: [
              { Name: 'EventsProcessed', Unit: 'Count' },
              { Name: 'EndToEndLatency', Unit: 'Milliseconds' }
            ]
          }
        ]
      },
      Role: 'worker',
      EventsProcessed: 3,
      EndToEndLatency: [12, 700]
    },
    {
      _aws: {
        Timestamp: time.now,
        CloudWatchMetrics: [
          {
            Namespace: NAMESPACE,
            Dimensions: [['Role', 'Processor']],
            Metrics: [{ Name: 'ProcessorProcessed', Unit: 'Count' }]
          }
        ]
      },
      Role: 'worker',
      Processor: 'tag',
      ProcessorProcessed: 1
    }
  ])
})

t.test('writes no line for an idle minute, and resets the values', async (t) => {
  const { metrics, lines, timer } = build()
  timer.beat()
  t.strictSame(lines, [])
  metrics.count('EventsIgnored', 1)
  timer.beat()
  timer.beat()
  metrics.count('EventsIgnored', 1)
  timer.beat()
  t.strictSame([...metricsOf(lines)], [['EventsIgnored{Role=worker}', [1, 1]]])
})

t.test('counts a refusal under its reason and under all reasons', async (t) => {
  const { metrics, lines, timer } = build({ role: 'web' })
  metrics.count('NotificationsRefused', 1, { Reason: 'SIGNATURE_INVALID' })
  metrics.count('NotificationsRefused', 1, { Reason: 'SIGNATURE_EXPIRED' })
  timer.beat()
  t.strictSame(Object.fromEntries(metricsOf(lines)), {
    'NotificationsRefused{Role=web}': [2],
    'NotificationsRefused{Role=web,Reason=SIGNATURE_INVALID}': [1],
    'NotificationsRefused{Role=web,Reason=SIGNATURE_EXPIRED}': [1]
  })
})

t.test('distinguishes a reason and a processor of the same name', async (t) => {
  const { metrics, lines, timer } = build()
  metrics.count('NotificationsRefused', 1, { Reason: 'same' })
  metrics.count('ProcessorFailed', 1, { Processor: 'same' })
  timer.beat()
  t.ok(metricsOf(lines).has('NotificationsRefused{Role=worker,Reason=same}'))
  t.ok(metricsOf(lines).has('ProcessorFailed{Role=worker,Processor=same}'))
})

t.test('writes a gauge every minute', async (t) => {
  const { metrics, lines, timer } = build()
  let open = 0
  metrics.gauge('BreakerOpen', () => open)
  timer.beat()
  open = 1
  timer.beat()
  metrics.stop()
  t.strictSame([...metricsOf(lines)], [['BreakerOpen{Role=worker}', [0, 1, 1]]])
})

t.test('a stop writes the rest and stops the timer', async (t) => {
  const { metrics, lines, timer } = build()
  metrics.count('EventsRetried', 4)
  metrics.stop()
  t.ok(timer.stopped)
  t.strictSame([...metricsOf(lines)], [['EventsRetried{Role=worker}', [4]]])
})

t.test('writes durations before there are too many for a line', async (t) => {
  const { metrics, lines, timer } = build()
  metrics.count('EventsProcessed', 1)
  for (let i = 0; i < 99; i++) metrics.time('EndToEndLatency', i)
  t.equal(lines.length, 0)
  metrics.time('EndToEndLatency', 99)
  t.equal(lines.length, 1)
  t.equal(JSON.parse(lines[0]!).EndToEndLatency.length, 100)
  metrics.time('EndToEndLatency', 100)
  timer.beat()
  t.equal(metricsOf(lines).get('EndToEndLatency{Role=worker}')?.length, 101)
  t.strictSame(metricsOf(lines).get('EventsProcessed{Role=worker}'), [1])
})

t.test('drops invalid numbers and negative durations', async (t) => {
  const { metrics, lines, timer } = build()
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -5])
    metrics.time('EndToEndLatency', bad)
  metrics.gauge('BreakerOpen', () => Number.NaN)
  timer.beat()
  t.strictSame([...metricsOf(lines)], [['EndToEndLatency{Role=worker}', [0]]])
})

t.test('logs warnings of the library and still writes the line', async (t) => {
  const { metrics, lines, warnings, timer, time } = build()
  time.now -= 15 * 86_400_000
  metrics.count('EventsIgnored', 1)
  timer.beat()
  t.strictSame(faultsOf(lines[0]!), [])
  t.match(warnings, [{ msg: /timestamp/ }])
})

t.test('the default timer does not keep the process alive', async (t) => {
  const lines: string[] = []
  const write = (line: string) => void lines.push(line)
  const log = pino({ level: 'silent' })
  const metrics = new EmfMetrics({ namespace: NAMESPACE, role: 'web', write, log, clock: Date.now })
  const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
  const before = timers()
  metrics.start()
  t.equal(timers(), before)
  metrics.stop()

  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => mock.timers.reset())
  metrics.start()
  metrics.count('EventsStored', 1)
  mock.timers.tick(60_000)
  t.equal(lines.length, 1)
  metrics.stop()
  metrics.count('EventsStored', 1)
  mock.timers.tick(600_000)
  t.equal(lines.length, 1, 'stopped')
})

t.test('writes metrics recorded before the start when it stops', async (t) => {
  const lines: string[] = []
  const write = (line: string) => void lines.push(line)
  const log = pino({ level: 'silent' })
  const metrics = new EmfMetrics({ namespace: NAMESPACE, role: 'web', write, log, clock: Date.now })
  metrics.count('NotificationsUnavailable', 1, { Reason: 'STARTING' })
  metrics.stop()
  t.equal(metricsOf(lines).size, 2)
})

t.test('every line is valid, and no value is lost or written twice', async (t) => {
  const detail = fc.constantFrom('A', 'B', 'C')
  const step = fc.oneof(
    fc.record({ kind: fc.constant('count' as const), by: fc.nat({ max: 1000 }) }),
    fc.record({ kind: fc.constant('refused' as const), by: fc.nat({ max: 1000 }), detail }),
    fc.record({ kind: fc.constant('time' as const), times: fc.nat({ max: 250 }), milliseconds: fc.double() }),
    fc.record({ kind: fc.constant('ran' as const), milliseconds: fc.nat(), detail }),
    fc.record({ kind: fc.constant('beat' as const) })
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { metrics, lines, timer } = build()
      const expected = new Map<string, { count: number; sum: number }>()
      const expect = (key: string, value: number, times = 1) => {
        const { count, sum } = expected.get(key) ?? { count: 0, sum: 0 }
        expected.set(key, { count: count + times, sum: sum + value * times })
      }
      for (const step of steps) {
        if (step.kind === 'count') {
          metrics.count('EventsStored', step.by)
          expect('EventsStored{Role=worker}', step.by)
        } else if (step.kind === 'refused') {
          metrics.count('NotificationsRefused', step.by, { Reason: step.detail })
          expect('NotificationsRefused{Role=worker}', step.by)
          expect(`NotificationsRefused{Role=worker,Reason=${step.detail}}`, step.by)
        } else if (step.kind === 'time') {
          for (let i = 0; i < step.times; i++) metrics.time('EndToEndLatency', step.milliseconds)
          if (!Number.isFinite(step.milliseconds) || step.times === 0) continue
          expect('EndToEndLatency{Role=worker}', Math.max(0, Math.round(step.milliseconds)), step.times)
        } else if (step.kind === 'ran') {
          metrics.time('ProcessorDuration', step.milliseconds, { Processor: step.detail })
          expect(`ProcessorDuration{Role=worker,Processor=${step.detail}}`, step.milliseconds)
        } else timer.beat()
      }
      metrics.stop()
      const written = metricsOf(lines)
      t.strictSame([...written.keys()].sort(), [...expected.keys()].sort())
      for (const [key, { count, sum: total }] of expected) {
        const values = written.get(key)
        const isDuration = /Latency|Duration/.test(key)
        if (isDuration && values?.length !== count) t.fail(`${key}: ${values?.length} of ${count}`)
        const difference = Math.abs(sum(values) - total)
        if (difference > 1e-9 * Math.abs(total)) t.fail(`${key}: ${sum(values)}, not ${total}`)
      }
    }),
    { numRuns: 100 }
  )
})

t.test('the validator rejects invalid lines', async (t) => {
  const good = {
    _aws: {
      Timestamp: 1,
      CloudWatchMetrics: [{ Namespace: 'N', Dimensions: [['D']], Metrics: [{ Name: 'M', Unit: 'Count' }] }]
    },
    D: 'd',
    M: 1
  }
  t.strictSame(faultsOf(JSON.stringify(good)), [])
  const bad: [string, (root: typeof good & Record<string, unknown>) => unknown][] = [
    ['no metadata', (root) => delete (root as Partial<typeof good>)._aws],
    ['a timestamp that is not whole', (root) => (root._aws.Timestamp = 1.5)],
    ['no namespace', (root) => (root._aws.CloudWatchMetrics[0]!.Namespace = '')],
    ['no dimension sets', (root) => (root._aws.CloudWatchMetrics[0]!.Dimensions = [])],
    ['a dimension without a value', (root) => delete (root as Partial<typeof good>).D],
    ['31 dimensions', (root) => (root._aws.CloudWatchMetrics[0]!.Dimensions = [Array(31).fill('D')])],
    [
      '101 metrics',
      (root) => (root._aws.CloudWatchMetrics[0]!.Metrics = Array(101).fill({ Name: 'M', Unit: 'Count' }))
    ],
    ['an unknown unit', (root) => (root._aws.CloudWatchMetrics[0]!.Metrics[0]!.Unit = 'Litres')],
    ['101 values', (root) => Object.assign(root, { M: Array(101).fill(1) })],
    ['no values', (root) => Object.assign(root, { M: [] })],
    ['a value that is null, as NaN becomes', (root) => Object.assign(root, { M: [1, Number.NaN] })]
  ]
  for (const [what, spoil] of bad) {
    const root = structuredClone(good) as typeof good & Record<string, unknown>
    spoil(root)
    t.not(faultsOf(JSON.stringify(root)).length, 0, what)
  }
  t.not(faultsOf('not JSON').length, 0)
  t.not(faultsOf('[]').length, 0)
})
