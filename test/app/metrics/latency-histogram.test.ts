import fc from 'fast-check'
import t from 'tap'
import { LATENCY_BOUNDS_MS, LatencyHistogram } from '../../../app/metrics/latency-histogram.ts'

t.test('has no percentile without values, and ignores values that are not numbers', async (t) => {
  const histogram = new LatencyHistogram()
  histogram.add(Number.NaN)
  t.equal(histogram.percentile(0.5), undefined)
})

t.test('returns the bound of the bucket that holds the percentile', async (t) => {
  const histogram = new LatencyHistogram()
  for (const milliseconds of [3, 3, 3, 180]) histogram.add(milliseconds)
  t.equal(histogram.percentile(0.5), 5)
  t.equal(histogram.percentile(0.75), 5)
  t.equal(histogram.percentile(0.95), 200)
  histogram.add(1e12)
  t.equal(histogram.percentile(1), LATENCY_BOUNDS_MS.at(-1))
})

t.test('a percentile of merged histograms bounds that of all values', async () => {
  const latencies = fc.array(fc.integer({ min: 0, max: 86_400_000 }), { maxLength: 50 })
  fc.assert(
    fc.property(latencies, latencies, fc.constantFrom(0.5, 0.95, 0.99), (one, other, fraction) => {
      const merged = new LatencyHistogram()
      const second = new LatencyHistogram()
      for (const value of one) merged.add(value)
      for (const value of other) second.add(value)
      merged.merge([...second.buckets, 7])
      const all = [...one, ...other].toSorted((a, b) => a - b)
      const exact = all[Math.ceil(fraction * all.length) - 1]
      const bound = merged.percentile(fraction)
      return exact === undefined ? bound === undefined : bound !== undefined && bound >= exact
    })
  )
})
