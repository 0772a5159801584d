import t from 'tap'
import { lastSlot, nextSlot, problemOfCron } from '../../../app/schedules/cron.ts'

const daily = { cron: '0 3 * * *', timezone: 'UTC' }
const at = (time: string) => Date.parse(time)
const iso = (time: Date | undefined) => time?.toISOString()

t.test('says what is wrong with an expression', async (t) => {
  for (const cron of ['0 3 * * *', '*/15 * * * MON-FRI', '@daily', '0 0 L * *'])
    t.equal(problemOfCron(cron), undefined, cron)
  for (const cron of ['', 'daily', '* * * *', '0 0 3 * * *', '61 * * * *'])
    t.match(problemOfCron(cron), /is not a cron expression; use five fields/, cron)
  t.match(problemOfCron('0 3 31 2 *'), /matches no time/)
})

t.test('finds the last slot up to now, and the next one', async (t) => {
  t.equal(iso(lastSlot(daily, at('2026-06-02T03:00:00.000Z'))), '2026-06-02T03:00:00.000Z')
  t.equal(iso(lastSlot(daily, at('2026-06-02T03:00:00.999Z'))), '2026-06-02T03:00:00.000Z')
  t.equal(iso(lastSlot(daily, at('2026-06-02T02:59:59.999Z'))), '2026-06-01T03:00:00.000Z')
  t.equal(iso(nextSlot(daily, at('2026-06-02T03:00:00.000Z'))), '2026-06-03T03:00:00.000Z')
  t.equal(nextSlot({ ...daily, cron: '0 3 31 2 *' }, 0), undefined)
  t.equal(lastSlot({ ...daily, cron: '0 3 31 2 *' }, at('2026-06-02T03:00:00Z')), undefined)
})

t.test('reads the expression in the time zone, across changes of its clock', async (t) => {
  const berlin = { ...daily, timezone: 'Europe/Berlin' }
  t.equal(iso(lastSlot(berlin, at('2026-03-28T12:00:00Z'))), '2026-03-28T02:00:00.000Z')
  t.equal(iso(lastSlot(berlin, at('2026-03-29T12:00:00Z'))), '2026-03-29T01:00:00.000Z')
})
