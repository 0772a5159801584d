import { type Asset, type AssetEvent, replayOf } from '../../ingest/event.ts'
import type { State } from '../../journal/processor-state.ts'

/** The transformations of one upload, in the journal. Its format is stored: do not rename fields. */
export interface Job {
  /** Id of the event of the upload. */
  upload: string
  status: 'processing' | 'done' | 'failed'
  size: 'small' | 'large'
  /** Description of the size, for people. */
  verdict: string
  asset: Asset
  /** Transformations that the latest call requested. */
  transformations: readonly string[]
  /** Transformations that exist, from all calls. */
  made: readonly string[]
  /** Why transformations failed. */
  reasons: readonly string[]
  /** The batch id of the `eager` notification that closes the job. */
  batchId?: string
  /** The operator's run that restarted the job. */
  run?: string
  /** The replay that the run belongs to. */
  replay?: string
  /** ISO 8601, UTC. */
  startedAt: string
  endedAt?: string
}

/** The jobs in the journal, by upload and by batch. */
export class Jobs {
  readonly #state: State

  constructor(state: State) {
    this.#state = state
  }

  async ofUpload(eventId: string): Promise<Job | undefined> {
    return this.#state.get<Job>(`upload/${eventId}`)
  }

  async ofBatch(batchId: string): Promise<Job | undefined> {
    const upload = await this.#state.get<string>(`batch/${batchId}`)
    return upload === undefined ? undefined : this.ofUpload(upload)
  }

  async save(job: Job): Promise<void> {
    // the batch first: if the worker is killed in between, a saved job without it would never be closed
    if (job.batchId) await this.#state.set(`batch/${job.batchId}`, job.upload)
    await this.#state.set(`upload/${job.upload}`, job)
  }
}

/**
 * Returns whether a job covers a run of its event, so nothing needs to be requested. A redrive requests
 * failed transformations again, a replay all of them. Results from before a replay do not count for the
 * replay or for a redrive of it.
 */
export function isStarted(job: Job, run: AssetEvent['run']): boolean {
  if (run === undefined || run.id === job.run) return true
  const replay = replayOf(run)
  return (replay === undefined || replay === job.replay) && job.status !== 'failed'
}
