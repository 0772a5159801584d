import type { ActivityFilter } from '../activity-store.ts'
import { filterToQuery } from '../event-filter.ts'

/** A query string as Fastify parses it. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>

/** Changes of a query: a value of `undefined` removes the parameter. */
export type QueryChanges = Readonly<Record<string, string | undefined>>

/** Parameters of paging. A change of the filter removes them. */
const PAGING = { cursor: undefined, direction: undefined } as const

/** Joins a path and the parameters that have a value. */
export function link(path: string, query: Query | URLSearchParams = {}): string {
  const parameters = query instanceof URLSearchParams ? query : parametersOf(query)
  const text = parameters.toString()
  return text === '' ? path : `${path}?${text}`
}

/** Returns a link to the list with a changed filter: to the first page, unless the changes have a cursor. */
export const listLink = (query: Query, changes: QueryChanges = {}): string =>
  link('/activity', { ...query, ...PAGING, ...changes })

/** Returns a link to the events that a filter selects. */
export const filterLink = (filter: ActivityFilter): string => link('/activity', filterToQuery(filter))

export const eventLink = (id: string): string => `/activity/events/${encodeURIComponent(id)}`

export const assetLink = (group: string): string => `/activity/assets/${encodeURIComponent(group)}`

/** Returns the value of a parameter. Joins several values with commas. */
export const parameterValue = (query: Query, name: string): string => [query[name] ?? []].flat().join(',')

function parametersOf(query: Query): URLSearchParams {
  const parameters = new URLSearchParams()
  for (const name of Object.keys(query)) {
    const value = parameterValue(query, name)
    if (value !== '') parameters.set(name, value.toWellFormed())
  }
  return parameters
}
