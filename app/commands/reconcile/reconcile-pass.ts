import type { CloudinaryClient } from '../../cloudinary/client.ts'
import { CloudinaryError } from '../../cloudinary/cloudinary-error.ts'
import { type Allowance, checkAllowance, type SearchPage, searchPages } from '../../cloudinary/search.ts'
import type { AssetEvent } from '../../ingest/event.ts'
import type { EventSender } from '../../queue/event-sender.ts'
import { explain } from '../explain-error.ts'
import { type ChangeKind, WITH_FIELD } from './change-kinds.ts'
import type { FoundChange } from './found-changes.ts'
import { type MissingOptions, missingEvents, needsHistory, suspectedChanges } from './missing-events.ts'
import type { PassOutcome, ReconcileReport } from './reconcile-report.ts'
import { type SearchWindow, type SearchWindows, type Watermarks, windowOf } from './search-windows.ts'

export interface PassOptions extends Omit<MissingOptions, 'windows'> {
  client: CloudinaryClient
  kinds: readonly ChangeKind[]
  watermarks: Watermarks
  sender: Pick<EventSender, 'store'>
  report: ReconcileReport
  /**
   * Start of the search from `--since`, in milliseconds since the epoch; undefined to start at the
   * watermarks.
   */
  since: number | undefined
  /**
   * Resolves to the time up to which workers have started all events received since a given time, or to
   * undefined if that is unknown. Milliseconds since the epoch.
   */
  startedThrough: (since: number) => Promise<number | undefined>
  /** Changes younger than this are left for the next pass: their notification may still arrive. */
  graceMs: number
  dryRun: boolean
  now: number
  /** Assets per page, at most 500. (Default: 500) */
  pageSize?: number | undefined
  signal: AbortSignal
}

/**
 * Maximum number of suspected changes to hold until the feed is read for them. Each takes a few kilobytes.
 */
const MAX_BATCH = 5000

/** Suspected changes are decided when their times span this much, so that the watermark moves. */
const MAX_BATCH_MS = 3_600_000

/**
 * Searches one cloud for each kind of change in turn, page by page in order of time. Moves the watermark
 * after each page whose events are stored.
 */
export async function runPass(options: PassOptions): Promise<PassOutcome> {
  const { environment, watermarks, report, signal } = options
  const sent = new Set<string>()
  const knownEvents = async (ids: readonly string[]) =>
    new Set([...(await options.knownEvents(ids)), ...ids.filter((id) => sent.has(id))])
  let allowance: Allowance | undefined
  try {
    await watermarks.load()
    const windows = await windowsOf(options)
    for (const [kind, window] of windows) {
      if (window.until === Number.NEGATIVE_INFINITY) {
        report.skipped(environment, kind)
        continue
      }
      report.started(environment, kind, window)
      if (window.from >= window.until) continue
      checkAllowance(allowance)
      allowance = await search(kind, window, { ...options, windows, knownEvents, sent })
      if (signal.aborted) return { outcome: 'interrupted' }
    }
    return { outcome: 'done' }
  } catch (error) {
    if (signal.aborted) return { outcome: 'interrupted' }
    if (error instanceof CloudinaryError && error.failure.kind === 'rate-limited') {
      return { outcome: 'limited', until: error.failure.until, why: error.message }
    }
    return { outcome: 'failed', why: explain(error) }
  }
}

/**
 * Returns the time ranges to search. The range of uploads does not depend on the queue, because a found
 * upload has the same ID as a queued one. Any other change that is still queued would be sent twice.
 */
async function windowsOf({
  kinds,
  watermarks,
  since,
  now,
  graceMs,
  startedThrough
}: PassOptions): Promise<SearchWindows> {
  const windows = kinds.map(
    (kind) => [kind, windowOf(watermarks.of(kind), { since, until: now - graceMs, now })] as const
  )
  const changes = windows.filter(([{ type }]) => type !== 'upload')
  if (changes.length === 0) return new Map(windows)
  const started = await startedThrough(Math.min(...changes.map(([, { from }]) => from)))
  const until = started === undefined ? Number.NEGATIVE_INFINITY : started - graceMs
  return new Map(
    windows.map(([kind, window]) => [kind, kind.type === 'upload' ? window : { ...window, until }])
  )
}

interface SearchOptions extends PassOptions, MissingOptions {
  /** Events that this pass has sent before it searched for their kind. */
  sent: Set<string>
}

/** Searches for one kind of change. Resolves to the number of calls that are left in this hour. */
async function search(
  kind: ChangeKind,
  window: SearchWindow,
  options: SearchOptions
): Promise<Allowance | undefined> {
  const { environment, client, watermarks, dryRun, report, pageSize, signal } = options
  const { field } = kind
  const [from, until] = [window.from, window.until].map(secondsOf)
  const query = {
    expression: `${field}>="${from}" AND ${field}<="${until}"`,
    sortBy: [field, 'asc'] as const,
    withField: WITH_FIELD,
    ...(pageSize !== undefined && { pageSize })
  }
  let allowance: Allowance | undefined
  let through = window.from
  // the watermark stays before undecided changes, so that the next pass finds them again
  let firstUndecided = Number.POSITIVE_INFINITY
  let suspected: FoundChange[] = []
  const decide = async (changes: readonly FoundChange[]) => {
    const { events, undecided } = await missingEvents(changes, options)
    await send(kind, events, options)
    firstUndecided = Math.min(firstUndecided, ...undecided.map(({ changedAt }) => changedAt))
    if (undecided.length > 0) report.undecided(environment, kind, undecided.length)
  }
  const decideSuspected = async () => {
    await decide(suspected)
    suspected = []
  }
  const save = async (time: number, complete: boolean) => {
    if (!window.movesWatermark || dryRun) return
    await watermarks.save(kind, Math.min(time, firstUndecided, suspected[0]?.changedAt ?? time), complete)
  }
  try {
    for await (const page of searchPages(client, query)) {
      allowance = page.allowance
      const found = await suspectedChanges(kind, page.assets, options)
      await decide(found.filter((change) => !needsHistory(change, options)))
      suspected.push(...found.filter((change) => needsHistory(change, options)))
      through = lastTime(kind, page, through)
      const isLong = through - (suspected[0]?.changedAt ?? through) >= MAX_BATCH_MS
      if (suspected.length >= MAX_BATCH || isLong) await decideSuspected()
      if (page.assets.length > 0) report.page(environment, kind, page.assets.length, through)
      await save(through, false)
      if (signal.aborted) return allowance
    }
  } catch (error) {
    // keep what the earlier pages found
    if (error instanceof CloudinaryError && suspected.length > 0 && !signal.aborted) {
      await decideSuspected()
      await save(through, false)
    }
    throw error
  }
  await decideSuspected()
  await save(window.until, true)
  return allowance
}

/**
 * Sends missing events, those of an asset in sequence. Cannot be aborted: it finishes what it has started.
 */
async function send(
  kind: ChangeKind,
  events: readonly AssetEvent[],
  { sender, dryRun, report, sent }: SearchOptions
): Promise<void> {
  const positions = new Map<string, number>()
  const rounds = Map.groupBy(events, ({ group }) => {
    const position = positions.get(group) ?? 0
    positions.set(group, position + 1)
    return position
  })
  for (const round of rounds.values()) {
    if (!dryRun) await sender.store(round)
    for (const event of round) {
      if (event.type !== kind.type) sent.add(event.id)
      report.missing(event)
    }
  }
}

/** Formats a time as the Search API does. */
const secondsOf = (time: number) => `${new Date(time).toISOString().slice(0, 19)}Z`

/** Returns the time of the last change of a page. If the search states no time, returns the previous time. */
function lastTime(kind: ChangeKind, { assets }: SearchPage, before: number): number {
  const times = assets.map((asset) => Date.parse(kind.changedAt(asset) ?? ''))
  return Math.max(before, ...times.filter(Number.isFinite))
}
