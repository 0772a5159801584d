import fc from 'fast-check'
import t from 'tap'
import { timeScale } from '../../../../app/activity/pages/time-scale.ts'

t.test('stretches are to scale up to the longest', async (t) => {
  const { place, shortened } = timeScale([0, 100, 10_000, 10_100], 100, 300)
  t.strictSame([0, 50, 100, 5050, 10_000, 10_100].map(place), [0, 50, 100, 150, 200, 300])
  t.strictSame(shortened, [{ from: 100, to: 200 }])
})

t.test('a single moment, or an empty scale, is on the left', async (t) => {
  t.equal(timeScale([5, 5], 10, 100).place(5), 0)
  t.equal(timeScale([], 10, 100).place(5), 0)
})

t.test('a time outside the stretches is at their end', async (t) => {
  const { place } = timeScale([10, 20], 100, 100)
  t.equal(place(0), 0)
  t.equal(place(99), 100)
})

t.test('later is never further left, and all is within the drawing', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(), { minLength: 1 }),
      fc.integer({ min: 1, max: 1e6 }),
      (moments, longest) => {
        const { place } = timeScale(moments, longest, 1000)
        const places = moments.toSorted((a, b) => a - b).map(place)
        return places.every(
          (at, index) => at >= -1e-6 && at <= 1000.001 && at >= (places[index - 1] ?? 0) - 1e-6
        )
      }
    )
  )
})
