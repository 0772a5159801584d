import type { Listener } from '../processor.ts'
import type { Schedule } from './schedule.ts'

/** Returns the schedules of a listener and of its processors. */
export const schedulesOf = ({ schedules = [], processors }: Listener): readonly Schedule[] => [
  ...schedules,
  ...processors.flatMap((processor) => processor.schedules ?? [])
]

/** Returns what is wrong with the schedules of a listener; undefined if nothing is. */
export function problemOfSchedules(listener: Listener): string | undefined {
  const { schedules, processors } = listener
  const lists: [owner: string, list: unknown][] = [
    ['`schedules`', schedules],
    ...processors.map(({ name, schedules: own }): [string, unknown] => [
      `\`schedules\` of processor "${name}"`,
      own
    ])
  ]
  const wrong = lists.find(([, list]) => list !== undefined && !isSchedules(list))
  if (wrong) return `${wrong[0]} must be a list of schedule({ name, cron, expression })`
  const names = schedulesOf(listener).map(({ name }) => name)
  const repeated = names.find((name, index) => names.indexOf(name) < index)
  if (repeated !== undefined) return `two schedules are named "${repeated}"; give each its own name`
  if (names.length > 0 && !processors.some(({ on }) => on.includes('scheduled_search') || on.includes('*')))
    return `schedule "${names[0]}" has no processor on scheduled_search`
  return undefined
}

const isSchedules = (list: unknown): boolean =>
  Array.isArray(list) &&
  list.every((each: Partial<Schedule> | null) => typeof each?.expression === 'function')
