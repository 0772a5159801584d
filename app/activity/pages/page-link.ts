import type { ActivityFilter } from '../activity-store.ts'
import { filterToQuery } from '../event-filter.ts'

/** A query string as Fastify parses it. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>

/** Changes of a query: a value of `undefined` removes the parameter. */
export type QueryChanges = Readonly<Record<string, string | undefined>>

/** Parameters that belong to a page of a list, and mean nothing once the filter has changed. */
const PAGING = { cursor: undefined, direction: undefined } as const

/** A path with those of the parameters that have a value. */
export function link(path: string, query: Query | URLSearchParams = {}): string {
  const parameters = query instanceof URLSearchParams ? query : parametersOf(query)
  const text = parameters.toString()
  return text === '' ? path : `${path}?${text}`
}

/** The list with the filter of `query`, changed; from its first page unless the changes name a cursor. */
export const listLink = (query: Query, changes: QueryChanges = {}): string =>
  link('/activity', { ...query, ...PAGING, ...changes })

/** The list of the events that a filter selects. */
export const filterLink = (filter: ActivityFilter): string => link('/activity', filterToQuery(filter))

export const eventLink = (id: string): string => `/activity/events/${encodeURIComponent(id)}`

export const assetLink = (group: string): string => `/activity/assets/${encodeURIComponent(group)}`

/** A value of a query that a form shows; of several, they are separated by commas. */
export const parameterValue = (query: Query, name: string): string => [query[name] ?? []].flat().join(',')

function parametersOf(query: Query): URLSearchParams {
  const parameters = new URLSearchParams()
  for (const name of Object.keys(query)) {
    const value = parameterValue(query, name)
    if (value !== '') parameters.set(name, value.toWellFormed())
  }
  return parameters
}
