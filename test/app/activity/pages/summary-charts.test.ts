import t from 'tap'
import { type SummaryChartsOptions, summaryCharts } from '../../../../app/activity/pages/summary-charts.ts'
import { HOSTILE, iso, minuteCounts, NOW } from '../../../support/activity-events.ts'

const render = (options: Partial<SummaryChartsOptions> = {}) =>
  summaryCharts({ minutes: [], queue: undefined, window: '1h', query: {}, now: NOW, ...options }).toString()

const sample = { at: iso(NOW - 5000), waiting: 1200, inFlight: 3, deadLetters: 0, breakerOpen: false }

t.test('states that there are no counts and no worker', async (t) => {
  const text = render()
  t.match(text, 'no worker has reported')
  t.match(text, 'none in the last hour')
  t.match(text, 'notifications in the last hour')
  t.notMatch(text, 'Error rate by processor')
})

t.test('shows the latencies of the newest minute that has some', async (t) => {
  const text = render({
    minutes: [
      minuteCounts(NOW - 120_000, { acknowledge: { p50: 5, p95: 700, p99: 900 } }),
      minuteCounts(NOW - 60_000, { acknowledge: { p50: 9, p95: 24, p99: 61 }, endToEnd: { p95: 1240 } }),
      minuteCounts(NOW)
    ]
  })
  t.match(text, '<span class="value">24 ms</span>')
  t.match(text, 'p50 9 ms · p99 61 ms')
  t.match(text, '<span class="value">1.24 s</span>')
})

t.test('refused notifications are summed by reason', async (t) => {
  const minutes = [
    minuteCounts(NOW, { accepted: 1500, refused: { A: 1, B: 4 } }),
    minuteCounts(NOW, { refused: { A: 2 } })
  ]
  const text = render({ minutes })
  t.match(text, '<a href="/activity/refused">7</a>')
  t.match(text, 'mostly <code>B</code>')
  t.match(text, '1,500')
})

t.test('shows the last sample of the queue', async (t) => {
  const text = render({ queue: { ...sample, oldestSeconds: 21 } })
  t.match(text, '1,200')
  t.match(text, 'oldest 21 s')
  t.match(text, 'nothing to fix')
  t.match(text, 'closed')
  t.notMatch(text, 'figure bad')
  t.notMatch(text, 'figure warn')
})

t.test('dead letters, an open breaker and an old sample stand out', async (t) => {
  const text = render({ queue: { ...sample, at: iso(NOW - 600_000), deadLetters: 2, breakerOpen: true } })
  t.match(text, '<a href="/activity/failures">2</a>')
  t.equal(text.split('figure bad').length, 3)
  t.match(text, 'figure warn')
})

t.test('processors are ordered by their error rate', async (t) => {
  const processors = {
    idle: { runs: 0, failures: 0 },
    fine: { runs: 10, failures: 0 },
    rare: { runs: 10_000, failures: 1 },
    [HOSTILE]: { runs: 10, failures: 4 },
    some: { runs: 40, failures: 1 },
    e: { runs: 1, failures: 0 },
    f: { runs: 1, failures: 0 }
  }
  const text = render({ minutes: [minuteCounts(NOW, { processors }), minuteCounts(NOW, { processors })] })
  const rates = [...text.matchAll(/(\S+) %<\/span>/g)].map(([, rate]) => rate!.replace(/.*>/, ''))
  t.strictSame(
    rates,
    ['40', '2.5', '#60;0.1', '0', '0', '0'].map((rate) => rate.replace('#60;0.1', '&#60;0.1'))
  )
  t.match(text, 'and 1 more')
  t.notMatch(text, '<script>')
})

t.test('the time range can be chosen, and the filter stays', async (t) => {
  const text = render({ window: '24h', query: { status: 'dead', window: '24h' } })
  t.match(text, 'Events per 20 minutes')
  t.match(text, 'href="/activity?status&#61;dead" title="Last hour">1h')
  t.match(text, /href="[^"]*24h" title="Last 24 hours" aria-current="true"/)
})
