import fc from 'fast-check'
import t from 'tap'
import { duration, exactTime, relativeTime, timeTag } from '../../../../app/activity/pages/event-time.ts'
import { iso, NOW } from '../../../support/activity-events.ts'

const ago = (milliseconds: number) => relativeTime(iso(NOW - milliseconds), NOW)

t.test('shows a time relative to now', async (t) => {
  t.equal(ago(999), 'now')
  t.equal(ago(1000), '1 s ago')
  t.equal(ago(59_999), '59 s ago')
  t.equal(ago(60_000), '1 min ago')
  t.equal(ago(3 * 3_600_000), '3 h ago')
  t.equal(ago(6.9 * 86_400_000), '6 d ago')
  t.equal(ago(-190_000), 'in 3 min')
})

t.test('shows the date of an old event, with the year if it differs', async (t) => {
  t.equal(ago(10 * 86_400_000), '22 May')
  t.match(ago(300 * 86_400_000), /^5 Aug 2025$/)
})

t.test('an exact time is in UTC with milliseconds', async (t) => {
  t.equal(exactTime('2026-06-01T12:00:00.5+02:00'), '2026-06-01 10:00:00.500 UTC')
})

t.test('leaves an invalid time unchanged', async (t) => {
  t.equal(exactTime('soon'), 'soon')
  t.equal(relativeTime('soon', NOW), 'soon')
})

t.test('renders the relative time, with the exact time as title', async (t) => {
  t.equal(
    timeTag(iso(NOW - 5000), NOW).toString(),
    '<time datetime="2026-06-01T11:59:55.000Z" title="2026-06-01 11:59:55.000 UTC">5 s ago</time>'
  )
})

t.test('formats a duration with at most two units', async (t) => {
  const expected: [number, string][] = [
    [-5, '0 ms'],
    [41.4, '41 ms'],
    [999.6, '1 s'],
    [1240, '1.24 s'],
    [12_340, '12.3 s'],
    [192_000, '3 min 12 s'],
    [180_000, '3 min'],
    [3_900_000, '1 h 5 min'],
    [90_000_000, '1 d 1 h']
  ]
  for (const [milliseconds, text] of expected) t.equal(duration(milliseconds), text)
  fc.assert(fc.property(fc.nat(), (milliseconds) => duration(milliseconds).length <= 14))
})
