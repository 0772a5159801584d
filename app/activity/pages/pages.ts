import type { FastifyPluginAsync } from 'fastify'
import type { ActivityStore } from '../activity-store.ts'
import type { LiveFeed } from '../live-feed.ts'
import type { ReplayRunner } from '../replay-runner.ts'

export interface PagesOptions {
  store: ActivityStore
  liveFeed: LiveFeed
  replays: ReplayRunner
  /** Milliseconds since the epoch. */
  clock: () => number
}

/** The activity page. */
export const pages: FastifyPluginAsync<PagesOptions> = async () => {}
