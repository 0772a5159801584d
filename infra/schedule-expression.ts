interface Field {
  minimum: number
  maximum: number
  names?: readonly string[]
  hasIncrements: boolean
}

/**
 * Fields of a cron expression of EventBridge Scheduler, in their order.
 * Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based
 */
const FIELDS: readonly Field[] = [
  { minimum: 0, maximum: 59, hasIncrements: true },
  { minimum: 0, maximum: 23, hasIncrements: true },
  { minimum: 1, maximum: 31, hasIncrements: true },
  {
    minimum: 1,
    maximum: 12,
    names: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
    hasIncrements: true
  },
  {
    minimum: 1,
    maximum: 7,
    names: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'],
    hasIncrements: false
  },
  { minimum: 1970, maximum: 2199, hasIncrements: true }
]

const DAY_OF_MONTH = 2
const DAY_OF_WEEK = 4

/** Returns whether EventBridge Scheduler accepts a recurring schedule: `rate(1 hour)` or `cron(…)`. */
export function isScheduleExpression(text: string): boolean {
  const [, kind, content = ''] = /^(rate|cron)\((.*)\)$/.exec(text) ?? []
  if (kind === 'rate')
    return /^(?:1 (?:minute|hour|day)|(?:[2-9]|[1-9]\d{1,4}) (?:minutes|hours|days))$/.test(content)
  return kind === 'cron' && isCron(content.split(' '))
}

function isCron(fields: readonly string[]): boolean {
  const anyDay = [fields[DAY_OF_MONTH], fields[DAY_OF_WEEK]].filter((field) => field === '?')
  return (
    fields.length === FIELDS.length &&
    anyDay.length === 1 &&
    fields.every((field, index) => isField(field, index))
  )
}

function isField(text: string, index: number): boolean {
  if (text === '?') return index === DAY_OF_MONTH || index === DAY_OF_WEEK
  return text.split(',').every((part) => isPart(part, index))
}

/** Days of a month or week that are counted: the last, the nearest working day, the nth Friday. */
const SPECIAL_DAYS: Readonly<Record<number, RegExp>> = {
  [DAY_OF_MONTH]: /^(?:LW?|(?<value>\d+)W)$/,
  [DAY_OF_WEEK]: /^(?:L|(?<value>\w+?)(?:L|#[1-5]))$/
}

/** Returns whether a text is a value, a range, an increment or a special day of a field. */
function isPart(text: string, index: number): boolean {
  const special = SPECIAL_DAYS[index]?.exec(text)
  if (special) return special.groups?.value === undefined || isValue(special.groups.value, index)
  const { maximum, hasIncrements } = FIELDS[index]!
  const [base = '', increment, ...rest] = text.split('/')
  if (rest.length > 0) return false
  if (increment !== undefined && !(hasIncrements && isWithin(increment, 1, maximum))) return false
  const ends = base.split('-')
  return base === '*' || (ends.length <= 2 && ends.every((end) => isValue(end, index)))
}

function isValue(text: string, index: number): boolean {
  const { minimum, maximum, names = [] } = FIELDS[index]!
  return isWithin(text, minimum, maximum) || names.includes(text)
}

const isWithin = (text: string, minimum: number, maximum: number) =>
  /^\d{1,4}$/.test(text) && Number(text) >= minimum && Number(text) <= maximum
