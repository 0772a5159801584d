import t from 'tap'
import { stampTime } from '../../../app/changes/stamp-time.ts'

t.test('a stamp is a time in ISO 8601, or seconds as a number or as text', async (t) => {
  const time = Date.parse('2026-06-01T12:00:00Z')
  const stamps = ['2026-06-01T12:00:00.000Z', '2026-06-01T14:00:00+02:00', time / 1000, String(time / 1000)]
  for (const stamp of stamps) t.equal(stampTime(stamp), time, String(stamp))
})

t.test('what is no time is before every time', async (t) => {
  for (const value of [undefined, null, '', 'never', true, {}, ['2026-06-01'], Number.NaN]) {
    t.equal(stampTime(value), Number.NEGATIVE_INFINITY, JSON.stringify(value))
  }
})
