import fc from 'fast-check'
import t from 'tap'
import { isScheduleExpression } from '../../infra/schedule-expression.ts'

const between = (min: number, max: number) => fc.integer({ min, max }).map(String)

/** A value, a range, an increment or a list of them, as AWS documents for every field. */
const field = (value: fc.Arbitrary<string>, increments: fc.Arbitrary<string>) => {
  const part = fc.oneof(
    fc.constant('*'),
    value,
    fc.tuple(value, value).map((ends) => ends.join('-')),
    fc.tuple(fc.oneof(fc.constant('*'), value), increments).map((parts) => parts.join('/'))
  )
  return fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(','))
}

const minutes = field(between(0, 59), between(1, 59))
const hours = field(between(0, 23), between(1, 23))
const days = fc.oneof(
  field(between(1, 31), between(1, 31)),
  fc.constantFrom('L', 'LW'),
  between(1, 31).map((day) => `${day}W`)
)
const months = field(fc.oneof(between(1, 12), fc.constantFrom('JAN', 'JUL', 'DEC')), between(1, 12))
const weekday = fc.oneof(between(1, 7), fc.constantFrom('SUN', 'MON', 'SAT'))
const weekdays = fc.oneof(
  fc.array(weekday, { minLength: 1 }).map((parts) => parts.join(',')),
  fc.tuple(weekday, weekday).map((ends) => ends.join('-')),
  fc.constantFrom('*', 'L'),
  weekday.map((day) => `${day}L`),
  fc.tuple(weekday, between(1, 5)).map((parts) => parts.join('#'))
)
const years = field(between(1970, 2199), between(1, 100))

const dayFields = fc.oneof(
  days.map((day) => [day, '?'] as const),
  weekdays.map((day) => ['?', day] as const)
)

const cronFields = fc
  .tuple(minutes, hours, dayFields, months, years)
  .map(([minute, hour, [day, weekday], month, year]) => [minute, hour, day, month, weekday, year])

t.test('a rate has a number of its unit, singular only for 1', async (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 99_999 }),
      fc.constantFrom('minute', 'hour', 'day'),
      (value, unit) => {
        t.equal(isScheduleExpression(`rate(${value} ${unit})`), value === 1)
        t.equal(isScheduleExpression(`rate(${value} ${unit}s)`), value > 1)
      }
    )
  )
  for (const text of [
    'rate(1)',
    'rate(hour)',
    'rate(1.5 hours)',
    'rate(-1 hours)',
    'rate(01 hour)',
    'rate(2 weeks)'
  ])
    t.notOk(isScheduleExpression(text), text)
})

t.test('a cron expression has six fields, of which exactly one day is `?`', async (t) => {
  fc.assert(
    fc.property(cronFields, (fields) => {
      t.ok(isScheduleExpression(`cron(${fields.join(' ')})`), fields.join(' '))
      t.notOk(isScheduleExpression(`cron(${fields.slice(1).join(' ')})`), 'five fields, as of Unix')
      t.notOk(isScheduleExpression(`cron(${[...fields, '*'].join(' ')})`), 'seven fields')
      const [minute, hour, , month, , year] = fields
      for (const day of ['*', '?']) {
        t.notOk(
          isScheduleExpression(`cron(${[minute, hour, day, month, day, year].join(' ')})`),
          `${day} in both`
        )
      }
    }),
    { numRuns: 200 }
  )
})

t.test('a value, increment or wildcard that a field does not have is refused', async (t) => {
  const base = ['0', '8', '?', '*', 'MON', '*']
  const cases: [number, string[]][] = [
    [0, ['60', '-1', '?', 'L', '1W', '', 'x', '0/0', '0/60', '0/1/2', '1-2-3', '/5', '1,,2', '1#2']],
    [1, ['24', '?', 'JAN']],
    [3, ['0', '13', 'MON', '?', 'jan']],
    [4, ['0', '8', 'JAN', 'MON#6', 'MON#0', '2W', 'MON/2', 'LW']],
    [5, ['1969', '2200', '?', 'L']]
  ]
  for (const [index, values] of cases) {
    for (const value of values) {
      const text = `cron(${base.with(index, value).join(' ')})`
      t.notOk(isScheduleExpression(text), text)
    }
  }
  for (const day of ['0', '32', '1L', 'W', '5#2', '32W'])
    t.notOk(isScheduleExpression(`cron(0 8 ${day} * ? *)`), day)
  t.ok(isScheduleExpression('cron(0 8 ? * MON *)'))
})

t.test('nothing else is a schedule', async (t) => {
  for (const text of [
    '',
    'never',
    'at(2026-01-01T00:00:00)',
    'rate(1 hour) ',
    'RATE(1 hour)',
    'cron()',
    'every hour'
  ])
    t.notOk(isScheduleExpression(text), text)
  fc.assert(fc.property(fc.string(), (text) => t.notOk(isScheduleExpression(text))))
})
