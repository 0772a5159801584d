import t from 'tap'
import { stampTime } from '../../../app/changes/stamp-time.ts'

t.test('parses ISO 8601, and seconds as a number or as text', async (t) => {
  const time = Date.parse('2026-06-01T12:00:00Z')
  const stamps = ['2026-06-01T12:00:00.000Z', '2026-06-01T14:00:00+02:00', time / 1000, String(time / 1000)]
  for (const stamp of stamps) t.equal(stampTime(stamp), time, String(stamp))
})

t.test('returns -Infinity for any other value', async (t) => {
  for (const value of [undefined, null, '', 'never', true, {}, ['2026-06-01'], Number.NaN]) {
    t.equal(stampTime(value), Number.NEGATIVE_INFINITY, JSON.stringify(value))
  }
})
