import type { FastifyReply } from 'fastify'
import type { ActivityStore } from '../activity-store.ts'
import type { RepairRunner } from '../repair-runner.ts'
import type { Html } from './html.ts'

/** Dependencies of the pages. */
export interface PagesOptions {
  store: ActivityStore
  repairs: Pick<RepairRunner, 'count' | 'start' | 'find' | 'abort' | 'recent'>
  /** Milliseconds since the epoch. */
  clock: () => number
}

/** Sends a page, and forbids caching: it may show assets that are not public. */
export const sendPage = (reply: FastifyReply, page: Html): FastifyReply =>
  reply.header('Cache-Control', 'no-store').type('text/html; charset=utf-8').send(page.toString())
