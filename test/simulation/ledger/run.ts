import { type AssetEvent, replayOf } from '../../../app/ingest/event.ts'
import type { SimulatedProcess } from '../scheduler.ts'

/** One call of a processor for an event. */
export interface Run {
  event: AssetEvent
  processor: string
  process: SimulatedProcess
  signal: AbortSignal
  startedAt: number
  state: 'running' | 'succeeded' | 'failed' | 'interrupted'
  /** Why it failed: by itself, or in this outage or rate limit of Cloudinary. */
  failure: 'its own' | object | undefined
  /** Its worker was killed, or lost the lease, or had lost it before the start. */
  isLost: boolean
  /** The journal has the success. */
  isRecorded: boolean
  /**
   * It may be repeated: its worker was killed, lost the lease, was superseded, or ran out of time while it stopped,
   * before the journal had the success.
   */
  isExcused: boolean
}

/** Names a processor's work for an event. A redrive continues it, and a replay starts it again. */
export const workKey = ({ id, run }: AssetEvent, processor: string) =>
  `${processor} ${id} ${replayOf(run) ?? ''}`

/** Names the attempts of a processor, which a redrive or replay counts anew. */
export const attemptsKey = (eventId: string, processor: string, runId: string | undefined) =>
  `${processor} ${eventId} ${runId ?? ''}`
