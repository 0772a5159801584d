import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ActivityStore, EventPage } from '../activity-store.ts'
import type { ListQuery } from '../event-filter.ts'
import type { ReplayRunner } from '../replay-runner.ts'
import type { Html } from './html.ts'

/** What the pages need of the activity role. */
export interface PagesOptions {
  store: ActivityStore
  replays: Pick<ReplayRunner, 'count' | 'start' | 'find' | 'abort'>
  /** Milliseconds since the epoch. */
  clock: () => number
}

/** A page must be made by then, in milliseconds. */
const PAGE_MS = 15_000

/** Aborts when the reader has gone, or has waited too long. */
export function pageSignal({ raw }: FastifyRequest): AbortSignal {
  const gone = new AbortController()
  raw.once('close', () => {
    if (raw.destroyed) gone.abort()
  })
  return AbortSignal.any([gone.signal, AbortSignal.timeout(PAGE_MS)])
}

/** Sends a page, which nobody keeps: it may be about assets that are not public. */
export const sendPage = (reply: FastifyReply, page: Html): FastifyReply =>
  reply.header('Cache-Control', 'no-store').type('text/html; charset=utf-8').send(page.toString())

/** A page of a list: of events that wait or are dead, from the index of those. */
export function listPage(
  store: ActivityStore,
  { filter, cursor, direction, limit }: ListQuery,
  signal: AbortSignal
): Promise<EventPage> {
  const query = { filter, limit, direction, signal, ...(cursor !== undefined && { cursor }) }
  const [status, ...others] = filter.status ?? []
  return (status === 'retrying' || status === 'dead') && others.length === 0
    ? store.unfinished(status, query)
    : store.list(query)
}
