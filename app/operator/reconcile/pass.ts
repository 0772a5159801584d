import type { CloudinaryClient } from '../../cloudinary/client.ts'
import type { AssetEvent } from '../../cloudinary/event.ts'
import { CloudinaryError } from '../../cloudinary/fault.ts'
import { type Allowance, leaveSome, type SearchPage, searchPages } from '../../cloudinary/search.ts'
import type { Outbox } from '../../queue/outbox.ts'
import { explain } from '../explain.ts'
import { type MissingOptions, missingEvents } from './missing.ts'
import type { PassReport } from './report.ts'
import type { Side } from './sides.ts'
import { type Watermarks, type Window, windowOf } from './windows.ts'

export interface PassOptions extends MissingOptions {
  client: CloudinaryClient
  sides: readonly Side[]
  watermarks: Watermarks
  outbox: Pick<Outbox, 'store'>
  report: PassReport
  /** Milliseconds since the epoch; undefined: where the watermarks say. */
  since: number | undefined
  /** Until when uploads, and until when changes, are looked for; undefined: not at all. */
  untilOf: (side: Side) => number | undefined
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

/**
 * One pass over one cloud: each side in turn, page by page in the order of time. The watermark follows each page whose
 * events are stored.
 */
export async function runPass(options: PassOptions): Promise<PassEnd> {
  const { watermarks, sides, since, untilOf, now, report, signal } = options
  let allowance: Allowance | undefined
  try {
    await watermarks.load()
    for (const side of sides) {
      const until = untilOf(side)
      if (until === undefined) {
        report.skipped(side)
        continue
      }
      const window = windowOf(watermarks.of(side), { since, until, now })
      report.begins(side, window)
      if (window.from >= window.until) continue
      leaveSome(allowance)
      allowance = await search(side, window, options)
      if (signal.aborted) return { outcome: 'interrupted' }
    }
    return { outcome: 'done' }
  } catch (error) {
    if (signal.aborted) return { outcome: 'interrupted' }
    if (error instanceof CloudinaryError && error.fault.kind === 'rate-limited') {
      return { outcome: 'limited', until: error.fault.until, why: error.message }
    }
    return { outcome: 'failed', why: whyOf(error) }
  }
}

/** Looks at one side; resolves to what is left of the hour's calls. */
async function search(side: Side, window: Window, options: PassOptions): Promise<Allowance | undefined> {
  const { client, watermarks, dryRun, report, pageSize, signal } = options
  const { field, withField } = side
  const [from, until] = [window.from, window.until].map(secondsOf)
  const query = {
    expression: `${field}>="${from}" AND ${field}<="${until}"`,
    sortBy: [field, 'asc'] as const,
    withField,
    ...(pageSize !== undefined && { pageSize })
  }
  const save = async (time: number, complete: boolean) => {
    if (window.keeps && !dryRun) await watermarks.save(side, Math.min(time, held), complete)
  }
  let allowance: Allowance | undefined
  let through = window.from
  // what is not decided is looked at again by the next pass
  let held = Number.POSITIVE_INFINITY
  for await (const page of searchPages(client, query)) {
    allowance = page.allowance
    const { events, undecided } = await missingEvents(side, page.assets, options)
    await send(events, options)
    through = lastTime(side, page, through)
    held = Math.min(held, ...undecided)
    if (page.assets.length > 0) report.page(side, page.assets.length, through)
    if (undecided.length > 0) report.undecided(side, undecided.length)
    await save(through, false)
    if (signal.aborted) return allowance
  }
  await save(window.until, true)
  return allowance
}

/** Sends events that are missing; what was begun is ended, whatever aborts. */
async function send(events: readonly AssetEvent[], { outbox, dryRun, report }: PassOptions): Promise<void> {
  if (!dryRun) await outbox.store(events, NEVER)
  for (const event of events) report.found(event)
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
