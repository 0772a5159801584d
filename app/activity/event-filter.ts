import { z } from 'zod'
import { EVENT_TYPES } from '../ingest/event.ts'
import type { Status } from '../journal/journal-entry.ts'
import type { ProcessorRecord } from '../journal/processor-record.ts'
import type { ActivityFilter } from './activity-store.ts'
import { RequestError } from './request-error.ts'

export const STATUSES = [
  'processing',
  'retrying',
  'done',
  'ignored',
  'dead',
  'discarded'
] as const satisfies Status[]

export const OUTCOMES = [
  'started',
  'succeeded',
  'failed',
  'dead'
] as const satisfies ProcessorRecord['outcome'][]

export const SOURCES = ['web', 'poll', 'reconcile', 'replay'] as const

export const VIEWS = ['failed', 'retrying', 'dead', 'discarded', 'ignored', 'slowest'] as const

export type View = (typeof VIEWS)[number]

/**
 * Shortest processor run of an event in the view `slowest`, in milliseconds, unless the filter has another
 * minimum.
 */
const SLOW_MS = 1000

/** Default number of events on a page, and the maximum. */
export const DEFAULT_PAGE_SIZE = 50
const MAX_PAGE_SIZE = 200

/** Error for an invalid value of a filter or of a paging parameter. */
export class FilterError extends RequestError {
  /** Name of the parameter in the query string. */
  readonly parameter: string

  constructor(parameter: string, problem: string) {
    super(400, 'FILTER_INVALID', `${parameter}: ${problem}`)
    this.name = 'FilterError'
    this.parameter = parameter
  }
}

const text = (description: string, maximum = 200) =>
  z.string().trim().min(1).max(maximum).describe(description)

const wholeNumber = (description: string, minimum: number, maximum: number) => {
  const error = `must be a whole number from ${minimum} to ${maximum}`
  return z
    .union([z.number(), z.string().trim().regex(/^\d+$/).transform(Number)], error)
    .pipe(z.int(error).min(minimum, error).max(maximum, error))
    .describe(description)
}

/** One value, values separated by commas, or a repeated parameter. */
const listOf = <const Value extends string>(values: readonly Value[], description: string) =>
  z
    .union([z.string(), z.array(z.string()).max(values.length)])
    .transform((given) => [given].flat().flatMap((value) => value.split(',')))
    .transform((given) => [...new Set(given.map((value) => value.trim()).filter((value) => value !== ''))])
    .pipe(z.array(z.enum(values)).min(1))
    .describe(`${description}; several are separated by commas: ${values.join(', ')}`)

const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?$/

/** A date, or a date and a time. UTC if it has no offset. */
const time = (description: string, endOfDay: boolean) =>
  z
    .string()
    .trim()
    .regex(TIME, 'must be a date or a time in ISO 8601, such as 2026-06-01 or 2026-06-01T12:00Z')
    .transform((given, context) => {
      const whole = given.length > 10 ? given : `${given}T${endOfDay ? '23:59:59.999' : '00:00'}`
      const milliseconds = Date.parse(/Z|[+-]\d\d:\d\d$/.test(whole) ? whole : `${whole}Z`)
      if (!Number.isNaN(milliseconds)) return new Date(milliseconds).toISOString()
      context.addIssue({ code: 'custom', message: 'is not in the calendar' })
      return z.NEVER
    })
    .describe(`${description}; ISO 8601, UTC where no offset is given`)

/** The parameters that select events, in the query string and in the body of a replay. */
export const FilterSchema = z.strictObject({
  status: listOf(STATUSES, 'state of the event').optional(),
  type: listOf(EVENT_TYPES, 'type of the event').optional(),
  processor: text('name of a processor that ran for the event').optional(),
  outcome: z.enum(OUTCOMES).describe('outcome of a processor; of `processor`, where it is given').optional(),
  code: text('error code of a processor; of `processor`, where it is given').optional(),
  environment: text('product environment (cloud name)').optional(),
  asset: text('asset id').optional(),
  prefix: text('how the public id starts', 500).optional(),
  folder: text('folder of the asset; those in it are included', 500).optional(),
  tag: text('tag that the asset has, or that the event added or removed').optional(),
  who: text(
    'who made the change: `own` (this listener), `other`, or the id of an API key or user'
  ).optional(),
  source: z.enum(SOURCES).describe('how the event came into the queue').optional(),
  from: time('received at or after', false).optional(),
  until: time('received at or before; a date includes the whole day', true).optional(),
  trace: text('trace id of the request, or a part of it').optional(),
  attempts: wholeNumber('minimum number of attempts', 1, 1_000_000).optional(),
  duration: wholeNumber('minimum run time of a processor, in milliseconds', 1, 86_400_000).optional(),
  text: text('text in the payload, case-insensitive').optional(),
  view: z.enum(VIEWS).describe('a filter ready-made; adds to the others').optional()
})

/** The parameters of a list of events. */
export const ListSchema = FilterSchema.extend({
  cursor: text('`older` or `newer` of an earlier page', 500).optional(),
  direction: z.enum(['older', 'newer']).describe('direction from `cursor`').default('older'),
  limit: wholeNumber('maximum number of events', 1, MAX_PAGE_SIZE).default(DEFAULT_PAGE_SIZE)
})

export type FilterParameters = z.output<typeof FilterSchema>
export type ListParameters = z.output<typeof ListSchema>

/** The filter and the page of a list of events. */
export interface ListQuery {
  /** Includes the view. */
  filter: ActivityFilter
  view?: View
  cursor?: string
  direction: 'older' | 'newer'
  limit: number
}

/** Names of the parameters that have another name in the filter. */
const FIELDS = {
  asset: 'assetId',
  attempts: 'minimumAttempts',
  duration: 'minimumMilliseconds'
} as const satisfies Partial<Record<keyof FilterParameters, keyof ActivityFilter>>

type RenamedParameter = keyof typeof FIELDS

const fieldOf = (parameter: string): string =>
  Object.hasOwn(FIELDS, parameter) ? FIELDS[parameter as RenamedParameter] : parameter

/**
 * Reads the parameters of a list of events. Ignores empty values, since forms send them.
 *
 * @throws {FilterError} FILTER_INVALID, for the first parameter that is unknown or has a bad value
 */
export function parseListQuery(query: unknown): ListQuery {
  const { cursor, direction, limit, ...parameters } = parseParameters(ListSchema, query)
  const { view } = parameters
  return {
    filter: filterFrom(parameters),
    ...(view && { view }),
    ...(cursor && { cursor }),
    direction,
    limit
  }
}

/**
 * Reads the parameters that select events.
 *
 * @throws {FilterError} FILTER_INVALID, for the first parameter that is unknown or has a bad value
 */
export const parseFilter = (query: unknown): ActivityFilter =>
  filterFrom(parseParameters(FilterSchema, query))

/** Returns the query string of a filter, for `parseFilter`. */
export function filterToQuery(filter: ActivityFilter): URLSearchParams {
  const query = new URLSearchParams()
  for (const parameter of Object.keys(FilterSchema.shape)) {
    const value = filter[fieldOf(parameter) as keyof ActivityFilter]
    if (value !== undefined) query.set(parameter, String(value))
  }
  return query
}

/** Returns whether a filter is empty. */
export const isEmptyFilter = (filter: ActivityFilter): boolean =>
  Object.values(filter).every((value) => value === undefined)

/**
 * Reads parameters by their schema. Ignores empty values, since forms send them.
 *
 * @throws {FilterError} FILTER_INVALID, for the first parameter that is unknown or has a bad value
 */
export function parseParameters<Schema extends z.ZodObject>(
  schema: Schema,
  query: unknown
): z.output<Schema> {
  const { success, data, error } = schema.safeParse(withoutEmpty(query))
  if (success) return data
  const issue = error.issues[0]!
  const isUnknown = issue.code === 'unrecognized_keys'
  const parameter = isUnknown ? issue.keys[0] : issue.path[0]
  const problem = isUnknown ? 'is not a parameter' : issue.message
  throw new FilterError(parameter === undefined ? 'filter' : String(parameter), problem)
}

const withoutEmpty = (query: unknown): unknown =>
  typeof query !== 'object' || query === null || Array.isArray(query)
    ? query
    : Object.fromEntries(Object.entries(query).filter(([, value]) => value !== '' && value !== undefined))

/** Returns the filter of parsed parameters, including the view. */
export const filterFrom = ({ view, ...parameters }: FilterParameters): ActivityFilter => {
  const filter = Object.fromEntries(
    Object.entries(parameters).map(([parameter, value]) => [fieldOf(parameter), value])
  ) as ActivityFilter
  return withView(filter, view)
}

function withView(filter: ActivityFilter, view: View | undefined): ActivityFilter {
  switch (view) {
    case undefined:
      return filter
    case 'slowest':
      return { minimumMilliseconds: SLOW_MS, ...filter }
    case 'failed':
      return { status: ['retrying', 'dead'], ...filter }
    default:
      return { status: [view], ...filter }
  }
}
