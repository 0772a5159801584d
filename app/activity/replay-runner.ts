import type { ActivityFilter } from './activity-store.ts'

/** What a replay is of: events by id, or all that a filter selects. */
export type ReplaySelection = { ids: readonly string[] } | { filter: ActivityFilter }

export interface ReplayRequest {
  selection: ReplaySelection
  /** Run only the processors that have not succeeded; else all of them. */
  failedOnly: boolean
  /** User name of who asked for it. */
  by: string
}

export interface Replay {
  /** Also the id of the run. */
  id: string
  state: 'running' | 'done' | 'aborted' | 'failed'
  failedOnly: boolean
  by: string
  startedAt: string
  endedAt?: string
  /** Number of events selected. */
  total: number
  sent: number
  /** Events that could not be sent. */
  failed: number
  /** The first of the events that could not be sent, with the reason. */
  failures: readonly { id: string; code: string; message: string }[]
  /** Why it stopped, in the state `failed`. */
  error?: { code: string; message: string }
}

/** Replays events in the background, each once, in order per asset. */
export class ReplayRunner {
  /** Counts the events of a selection. */
  async count(_selection: ReplaySelection, _signal: AbortSignal): Promise<number> {
    return 0
  }

  /** Starts a replay; resolves once its events are selected. */
  async start(_request: ReplayRequest, _signal: AbortSignal): Promise<Replay> {
    throw new Error('not yet')
  }

  find(_id: string): Replay | undefined {
    return undefined
  }

  /** Stops a replay; events that have been sent are processed. */
  abort(_id: string): Replay | undefined {
    return undefined
  }
}
