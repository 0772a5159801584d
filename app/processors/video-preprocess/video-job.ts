import { type Asset, type AssetEvent, replayOf } from '../../ingest/event.ts'
import type { State } from '../../journal/processor-state.ts'

/** What became of the transformations of one upload: one for each version of an asset. */
export interface Job {
  /** Id of the event of the upload. */
  upload: string
  status: 'processing' | 'done' | 'failed'
  size: 'small' | 'large'
  /** How large, and why so, for people. */
  verdict: string
  asset: Asset
  /** What the latest call asked for. */
  transformations: readonly string[]
  /** What is there, of this call and those before. */
  made: readonly string[]
  /** Why it failed. */
  reasons: readonly string[]
  /** The batch whose notification closes it, where Cloudinary works in the background. */
  batchId?: string
  /** The operator's run that had it started anew. */
  run?: string
  /** The replay that this run belongs to. */
  replay?: string
  /** ISO 8601, UTC. */
  startedAt: string
  endedAt?: string
}

/** The jobs, in the journal: by the upload they are of, and by the batches that Cloudinary made of them. */
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
    // The batch comes first: were a worker killed between the two, a job that knows its batch would stay open for ever.
    if (job.batchId) await this.#state.set(`batch/${job.batchId}`, job.upload)
    await this.#state.set(`upload/${job.upload}`, job)
  }
}

/**
 * Whether an event has nothing to start anew. A redrive has another go at what failed, a replay at all: what was there
 * before the replay counts neither for it nor for a redrive of it.
 */
export function isStarted(job: Job, run: AssetEvent['run']): boolean {
  if (run === undefined || run.id === job.run) return true
  const replay = replayOf(run)
  return (replay === undefined || replay === job.replay) && job.status !== 'failed'
}
