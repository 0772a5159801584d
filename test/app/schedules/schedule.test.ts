import t from 'tap'
import { type ScheduleOptions, schedule } from '../../../app/schedules/schedule.ts'

const options: ScheduleOptions = { name: 'unused', cron: '0 3 * * *', expression: 'tags=unused' }
const SLOT = new Date('2026-06-01T03:00:00.000Z')

t.test('returns a schedule with its defaults', async (t) => {
  const { expression, ...rest } = schedule(options)
  t.strictSame(rest, { name: 'unused', cron: '0 3 * * *', timezone: 'UTC', environments: undefined })
  t.equal(expression(SLOT), 'tags=unused')
})

t.test('accepts a function of the slot', async (t) => {
  const { expression, timezone, environments } = schedule({
    ...options,
    timezone: 'Europe/Berlin',
    environments: ['demo'],
    expression: (slot) => `created_at<"${slot.toISOString()}"`
  })
  t.equal(expression(SLOT), 'created_at<"2026-06-01T03:00:00.000Z"')
  t.strictSame({ timezone, environments }, { timezone: 'Europe/Berlin', environments: ['demo'] })
})

t.test('rejects invalid options', async (t) => {
  const refused = (changes: object, message: RegExp) =>
    t.throws(() => schedule({ ...options, ...changes }), { code: 'LISTENER_CONFIG_INVALID', message })
  refused({ name: 'a b' }, /^schedule: name: /)
  refused({ cron: 'daily' }, /^schedule: cron: is not a cron expression/)
  refused({ timezone: 'Mars' }, /^schedule: timezone: must be a time zone/)
  refused({ expression: '' }, /^schedule: expression: /)
  refused({ environments: [] }, /^schedule: environments: /)
  refused({ every: 'day' }, /^schedule: options: /)
})
