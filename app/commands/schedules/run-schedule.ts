import type { CloudinaryClient } from '../../cloudinary/client.ts'
import { CloudinaryError } from '../../cloudinary/cloudinary-error.ts'
import { type SearchPage, searchPages } from '../../cloudinary/search.ts'
import type { AssetEvent } from '../../ingest/event.ts'
import type { State } from '../../journal/processor-state.ts'
import type { EventSender } from '../../queue/event-sender.ts'
import { lastSlot } from '../../schedules/cron.ts'
import type { Schedule } from '../../schedules/schedule.ts'
import { scheduledEvent } from '../../schedules/scheduled-event.ts'
import { explain } from '../explain-error.ts'
import { loadProgress, needsRenewal, type Progress, type Running, saveProgress } from './schedule-progress.ts'

export interface RunOptions {
  cloudName: string
  schedule: Schedule
  client: CloudinaryClient
  /** State of the command. */
  state: State
  sender: Pick<EventSender, 'store'>
  /** True to run it even if it is not due. */
  immediately: boolean
  dryRun: boolean
  /** Called with the events of each page. */
  onEvents: (events: readonly AssetEvent[]) => void
  /** Assets per page, at most 500. (Default: 500) */
  pageSize?: number | undefined
  /** Milliseconds since the epoch. */
  now: number
  /** Stops the run after the current page when it aborts. */
  signal: AbortSignal
}

/** The outcome of a schedule in one cloud. */
export type ScheduleOutcome =
  | { outcome: 'idle'; isNew: boolean }
  | { outcome: 'done'; slot: string; found: number }
  | { outcome: 'interrupted' }
  | { outcome: 'limited'; why: string }
  | { outcome: 'failed'; why: string }

/**
 * Runs a schedule in one cloud for the last due slot, if one is due since the last run. First completes a
 * search that was interrupted. A schedule that has never run starts with its next slot.
 *
 * Progress is saved after each page whose events are stored, so a page may be sent twice, with the same ids.
 */
export async function runSchedule(options: RunOptions): Promise<ScheduleOutcome> {
  const { cloudName, schedule, state, dryRun, immediately, now, signal } = options
  const nowIso = new Date(now).toISOString()
  const save = async (progress: Omit<Progress, 'savedAt'>) => {
    if (!dryRun) await saveProgress(state, cloudName, schedule, { ...progress, savedAt: now })
  }
  try {
    const progress = await loadProgress(state, cloudName, schedule)
    if (!progress && !immediately) {
      await save({ through: nowIso })
      return { outcome: 'idle', isNew: true }
    }
    const through = progress?.through ?? nowIso
    const done: { slot: string; found: number }[] = []
    for (const running of searchesOf(options, progress)) {
      const complete = await search(running, options, (next) => save({ through, running: next }))
      if (complete === undefined) return { outcome: 'interrupted' }
      await save({ through: running.slot > through ? running.slot : through })
      done.push({ slot: running.slot, found: complete })
    }
    const last = done.at(-1)
    if (last) return { outcome: 'done', ...last, found: done.reduce((sum, { found }) => sum + found, 0) }
    if (progress && needsRenewal(progress, now)) await save({ through })
    return { outcome: 'idle', isNew: false }
  } catch (error) {
    if (signal.aborted) return { outcome: 'interrupted' }
    if (error instanceof CloudinaryError && error.failure.kind === 'rate-limited')
      return { outcome: 'limited', why: error.message }
    return { outcome: 'failed', why: explain(error) }
  }
}

/** Returns the searches to make: first the interrupted one, then that of the last due slot. */
function searchesOf(
  { schedule, immediately, now }: RunOptions,
  progress: Progress | undefined
): readonly Running[] {
  // two runs within a second would have the same ids
  if (immediately) return [{ slot: new Date(Math.floor(now / 1000) * 1000).toISOString() }]
  const { through, running } = progress!
  const slot = lastSlot(schedule, now)?.toISOString()
  const isDue = slot !== undefined && slot > through && slot !== running?.slot
  return [...(running ? [running] : []), ...(isDue ? [{ slot }] : [])]
}

/** Sends the events of a search. Resolves to their number, or to undefined if it was interrupted. */
async function search(
  running: Running,
  options: RunOptions,
  save: (next: Running) => Promise<void>
): Promise<number | undefined> {
  const { cloudName, schedule, sender, dryRun, onEvents, now, signal } = options
  const { slot } = running
  let found = 0
  for await (const { assets, nextCursor } of pagesOf(running, options)) {
    const about = {
      environment: cloudName,
      schedule: schedule.name,
      slot,
      receivedAt: new Date(now).toISOString(),
      traceId: `Schedule=${schedule.name}@${slot}`
    }
    const events = assets.map((asset) => scheduledEvent(asset, about))
    // cannot be aborted: finishes what it has started
    if (!dryRun && events.length > 0) await sender.store(events)
    onEvents(events)
    found += events.length
    if (nextCursor !== undefined) {
      await save({ slot, cursor: nextCursor })
      if (signal.aborted) return undefined
    }
  }
  return found
}

/**
 * Yields the pages of a search. Starts again at the first page if Cloudinary no longer accepts a saved
 * cursor.
 */
async function* pagesOf(
  { slot, cursor }: Running,
  { schedule, client, pageSize }: RunOptions
): AsyncGenerator<SearchPage, void, void> {
  const query = {
    expression: schedule.expression(new Date(slot)),
    // assets that are uploaded during the search are on the last page
    sortBy: ['created_at', 'asc'] as const,
    withField: ['tags', 'context', 'metadata'],
    ...(pageSize !== undefined && { pageSize })
  }
  if (cursor !== undefined) {
    try {
      return yield* searchPages(client, { ...query, cursor })
    } catch (error) {
      const isRefused = error instanceof CloudinaryError && (error.status === 400 || error.status === 404)
      if (!isRefused) throw error
    }
  }
  yield* searchPages(client, query)
}
