import type { CloudinaryClient } from '../../cloudinary/client.ts'
import { CloudinaryError } from '../../cloudinary/cloudinary-error.ts'
import { type Allowance, checkAllowance, type SearchPage, searchPages } from '../../cloudinary/search.ts'
import type { AssetEvent } from '../../ingest/event.ts'
import type { EventSender } from '../../queue/event-sender.ts'
import { explain } from '../explain-error.ts'
import type { Change } from './found-change.ts'
import { type MissingOptions, missingEvents, needsHistory, suspects } from './missing-events.ts'
import type { PassReport } from './reconcile-report.ts'
import { type Watermarks, type Window, type Windows, windowOf } from './search-windows.ts'
import { type Side, WITH_FIELD } from './tracked-changes.ts'

export interface PassOptions extends Omit<MissingOptions, 'windows'> {
  client: CloudinaryClient
  sides: readonly Side[]
  watermarks: Watermarks
  sender: Pick<EventSender, 'store'>
  report: PassReport
  /** Milliseconds since the epoch; undefined: where the watermarks say. */
  since: number | undefined
  /**
   * Until when all that was received since a time has been begun by a worker; undefined: not known.
   * Milliseconds since the epoch.
   */
  begunThrough: (since: number) => Promise<number | undefined>
  /** What changed in this time is left for the next pass, since its notification may still come. */
  graceMs: number
  dryRun: boolean
  now: number
  /** Assets of a page: at most 500, which is also the default. */
  pageSize?: number | undefined
  signal: AbortSignal
}

/** How a pass ended; each but `done` is gone on with by the next pass. */
export type PassEnd =
  | { outcome: 'done' }
  | { outcome: 'limited'; until: Date; why: string }
  | { outcome: 'interrupted' }
  | { outcome: 'failed'; why: string }

const OF_JOURNAL = {
  missing: 'correct JOURNAL_TABLE or AWS_REGION',
  permission: 'dynamodb:GetItem, BatchGetItem and PutItem, and Query on its index'
}
const OF_QUEUE = {
  missing: 'correct QUEUE_URL or AWS_REGION',
  permission: 'sqs:SendMessage and sqs:GetQueueAttributes'
}

const NEVER = new AbortController().signal

/** How many suspected changes are held until the feed is read for all of them; a few kilobytes each. */
const LARGEST_BATCH = 5000

/** Suspected changes are decided after this time of changes at the latest, so that the watermark follows. */
const LONGEST_BATCH_MS = 3_600_000

/**
 * One pass over one cloud: each side in turn, page by page in the order of time. The watermark follows each page whose
 * events are stored.
 */
export async function runPass(options: PassOptions): Promise<PassEnd> {
  const { watermarks, report, signal } = options
  const sent = new Set<string>()
  const knownEvents = async (ids: readonly string[]) =>
    new Set([...(await options.knownEvents(ids)), ...ids.filter((id) => sent.has(id))])
  let allowance: Allowance | undefined
  try {
    await watermarks.load()
    const windows = await windowsOf(options)
    for (const [side, window] of windows) {
      if (window.until === Number.NEGATIVE_INFINITY) {
        report.skipped(side)
        continue
      }
      report.begins(side, window)
      if (window.from >= window.until) continue
      checkAllowance(allowance)
      allowance = await search(side, window, { ...options, windows, knownEvents, sent })
      if (signal.aborted) return { outcome: 'interrupted' }
    }
    return { outcome: 'done' }
  } catch (error) {
    if (signal.aborted) return { outcome: 'interrupted' }
    if (error instanceof CloudinaryError && error.failure.kind === 'rate-limited') {
      return { outcome: 'limited', until: error.failure.until, why: error.message }
    }
    return { outcome: 'failed', why: whyOf(error) }
  }
}

/** Uploads that wait in the queue do no harm: they are found under the same identity. Other changes would. */
async function windowsOf({
  sides,
  watermarks,
  since,
  now,
  graceMs,
  begunThrough
}: PassOptions): Promise<Windows> {
  const windows = sides.map(
    (side) => [side, windowOf(watermarks.of(side), { since, until: now - graceMs, now })] as const
  )
  const changes = windows.filter(([{ type }]) => type !== 'upload')
  if (changes.length === 0) return new Map(windows)
  const begun = await begunThrough(Math.min(...changes.map(([, { from }]) => from)))
  const until = begun === undefined ? Number.NEGATIVE_INFINITY : begun - graceMs
  return new Map(
    windows.map(([side, window]) => [side, side.type === 'upload' ? window : { ...window, until }])
  )
}

interface SearchOptions extends PassOptions, MissingOptions {
  /** Ids of the events that this pass has sent before the search for their side. */
  sent: Set<string>
}

/** Looks at one side; resolves to what is left of the hour's calls. */
async function search(side: Side, window: Window, options: SearchOptions): Promise<Allowance | undefined> {
  const { client, watermarks, dryRun, report, pageSize, signal } = options
  const { field } = side
  const [from, until] = [window.from, window.until].map(secondsOf)
  const query = {
    expression: `${field}>="${from}" AND ${field}<="${until}"`,
    sortBy: [field, 'asc'] as const,
    withField: WITH_FIELD,
    ...(pageSize !== undefined && { pageSize })
  }
  let allowance: Allowance | undefined
  let through = window.from
  // what is not decided is looked at again by the next pass
  let held = Number.POSITIVE_INFINITY
  let suspected: Change[] = []
  const decide = async (changes: readonly Change[]) => {
    const { events, undecided } = await missingEvents(changes, options)
    await send(side, events, options)
    held = Math.min(held, ...undecided.map(({ changedAt }) => changedAt))
    if (undecided.length > 0) report.undecided(side, undecided.length)
  }
  const decideSuspected = async () => {
    await decide(suspected)
    suspected = []
  }
  const save = async (time: number, complete: boolean) => {
    if (!window.keeps || dryRun) return
    await watermarks.save(side, Math.min(time, held, suspected[0]?.changedAt ?? time), complete)
  }
  try {
    for await (const page of searchPages(client, query)) {
      allowance = page.allowance
      const found = await suspects(side, page.assets, options)
      await decide(found.filter((change) => !needsHistory(change, options)))
      suspected.push(...found.filter((change) => needsHistory(change, options)))
      through = lastTime(side, page, through)
      const isLong = through - (suspected[0]?.changedAt ?? through) >= LONGEST_BATCH_MS
      if (suspected.length >= LARGEST_BATCH || isLong) await decideSuspected()
      if (page.assets.length > 0) report.page(side, page.assets.length, through)
      await save(through, false)
      if (signal.aborted) return allowance
    }
  } catch (error) {
    // what the pages before have shown need not be searched again
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

/** Sends events that are missing, those of an asset one after the other; what was begun is ended, whatever aborts. */
async function send(
  side: Side,
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
    if (!dryRun) await sender.store(round, NEVER)
    for (const event of round) {
      if (event.type !== side.type) sent.add(event.id)
      report.found(event)
    }
  }
}

/** AWS's own answer says more of what to mend than that the journal or the queue failed. */
function whyOf(error: unknown): string {
  const { code, cause = error } = Object(error) as { code?: unknown; cause?: unknown }
  if (code === 'JOURNAL_UNAVAILABLE') return `the journal: ${explain(cause, OF_JOURNAL)}`
  return code === 'QUEUE_UNAVAILABLE' ? `the queue: ${explain(cause, OF_QUEUE)}` : explain(error)
}

/** As the Search API writes times. */
const secondsOf = (time: number) => `${new Date(time).toISOString().slice(0, 19)}Z`

/** When the last of a page changed; should the search not say of any, how far it was looked before. */
function lastTime(side: Side, { assets }: SearchPage, before: number): number {
  const times = assets.map((asset) => Date.parse(side.changedAt(asset) ?? ''))
  return Math.max(before, ...times.filter(Number.isFinite))
}
