import fc from 'fast-check'
import t from 'tap'
import { dayAt, dayOf, daysBetween, plusDays } from '../../../../app/processors/expire/days.ts'

t.test('knows the day in a time zone', async (t) => {
  const time = Date.parse('2026-06-01T23:30:00Z')
  t.equal(dayAt(time, 'UTC'), '2026-06-01')
  t.equal(dayAt(time, 'Europe/Berlin'), '2026-06-02')
  t.equal(dayAt(time, 'America/New_York'), '2026-06-01')
})

t.test('reads only days', async (t) => {
  t.equal(dayOf('2028-02-29'), '2028-02-29')
  const others = [
    undefined,
    null,
    20_260_601,
    '',
    '2026-6-1',
    '2026-02-30',
    '2026-13-01',
    '2026-06-01T00:00:00Z'
  ]
  for (const other of others) t.equal(dayOf(other), undefined, String(other))
})

t.test('counts days, also across changes of the clock', async () => {
  const day = fc
    .date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
    .map((date) => dayAt(date.getTime(), 'UTC'))
  fc.assert(
    fc.property(day, fc.integer({ min: -4000, max: 4000 }), (from, days) => {
      const until = plusDays(from, days)
      return dayOf(until) === until && daysBetween(from, until) === days
    })
  )
})
