import { z } from 'zod'
import type { CloudinaryClient } from '../cloudinary/client.ts'
import { checkAllowance, type FoundAsset, type SearchQuery, searchPages } from '../cloudinary/search.ts'
import { ListenerError } from '../errors.ts'
import {
  assetKey,
  type CursorScope,
  decodeCursor,
  encodeCursor,
  type FeedPosition,
  stateKey
} from './change-cursor.ts'
import { type ChangedAsset, describeChange, textOf, WITH_FIELDS } from './changed-asset.ts'
import { FeedProgress } from './feed-progress.ts'
import { stampTime } from './stamp-time.ts'

export interface Change extends ChangedAsset {
  /** Encodes the position after this change. Costs some time: call it only when you store the cursor. */
  cursor: () => string
}

export interface ChangesOptions {
  /** Start at changes with this stamp or a later one. Either this or `cursor`. */
  since?: Date
  /** Resume after an earlier reading. */
  cursor?: string
  /**
   * External ID of the metadata field that `lastUpdateTimestamp` writes. (Default: `last_update_timestamp`)
   */
  field?: string
  /** Maximum lag of Cloudinary's index plus clock difference, in seconds. (Default: 300) */
  overlapSeconds?: number
  /** Assets per call, at most 500. (Default: 500) */
  pageSize?: number
  /** Milliseconds since the epoch. */
  clock?: () => number
}

export const DEFAULT_FIELD = 'last_update_timestamp'
export const DEFAULT_OVERLAP_SECONDS = 300

const Options = z.strictObject({
  since: z.date().min(0, 'must not be before 1970').optional(),
  cursor: z.string().optional(),
  field: z.string().min(1).max(255).default(DEFAULT_FIELD),
  overlapSeconds: z.number().min(0).max(86_400).default(DEFAULT_OVERLAP_SECONDS),
  pageSize: z.int().min(1).max(500).optional(),
  clock: z.custom<() => number>((value) => typeof value === 'function').default(() => Date.now)
})

/**
 * The time at which a stamp was written, since writing it changes the metadata. Cloudinary does not document
 * range queries on string metadata.
 */
const WRITTEN_AT = 'last_updated.metadata_updated_at'

/**
 * Reads the assets whose stamp (see `lastUpdateTimestamp`) has changed, with Cloudinary's Search API, in the
 * order in which the stamps were written: `for await (const change of changes(client, { since }))`. Ends when
 * there are no more changes; store a cursor to resume later. Misses nothing while the index lags less than
 * the overlap, and reports no state of an asset twice. Costs one call of the Admin API for every 500 assets,
 * and at least one.
 *
 * @throws {ListenerError} CHANGES_OPTIONS_INVALID, CHANGES_CURSOR_INVALID
 * @throws {CloudinaryError} while reading; CLOUDINARY_ALLOWANCE_SPENT and CLOUDINARY_RATE_LIMITED have the time
 *   at which to resume from the cursor
 */
export function changes(client: CloudinaryClient, options: ChangesOptions): ChangeFeed {
  const result = Options.safeParse(options)
  if (!result.success) {
    throw invalid(result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '))
  }
  const { since, cursor, field, overlapSeconds, pageSize, clock } = result.data
  const scope = { cloudName: client.cloudName, field }
  const overlapMs = overlapSeconds * 1000
  if ((since === undefined) === (cursor === undefined)) throw invalid('set either `since` or `cursor`')
  if (since && since.getTime() > clock()) throw invalid(`since: ${since.toISOString()} is in the future`)
  const start = cursor === undefined ? startAt(since as Date, overlapMs) : decodeCursor(cursor, scope)
  return new ChangeFeed({ client, scope, overlapMs, pageSize, clock, start })
}

/**
 * Starts earlier by the overlap: clocks differ, so a stamp may be later than the time at which it was
 * written.
 */
const startAt = (since: Date, overlapMs: number): FeedPosition => ({
  since: since.getTime(),
  settled: Math.max(0, Math.floor((since.getTime() - overlapMs) / 1000) * 1000),
  reported: new Map()
})

const invalid = (message: string) => new ListenerError('CHANGES_OPTIONS_INVALID', message)

interface FeedOptions {
  client: CloudinaryClient
  scope: CursorScope
  overlapMs: number
  pageSize: number | undefined
  clock: () => number
  start: FeedPosition
}

/** The changes, and how far they were read. A further reading resumes where the last one stopped. */
export class ChangeFeed implements AsyncIterable<Change> {
  readonly #options: FeedOptions
  readonly #progress: FeedProgress
  #read = 0
  #stamped = 0

  constructor(options: FeedOptions) {
    this.#options = options
    this.#progress = new FeedProgress(options.start)
  }

  /** Encodes the position after the last change that was read. */
  cursor(): string {
    return encodeCursor(this.#progress.position()(), this.#options.scope)
  }

  /** Number of assets read, including those without a change and those that were reported before. */
  get assetsRead(): number {
    return this.#read
  }

  /** Number of these assets with a time in the field. */
  get assetsStamped(): number {
    return this.#stamped
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Change, void, void> {
    let from: number | undefined = this.#progress.start()
    while (from !== undefined) from = yield* this.#readFrom(from)
  }

  /**
   * Reads to the end of the index or of a page. Each page is a search of its own, from the time of the last
   * asset: Cloudinary's cursor may lose assets that change meanwhile. It is used only if a page ends in the
   * second it started.
   *
   * @returns the time to read from next, or undefined at the end
   */
  async *#readFrom(from: number): AsyncGenerator<Change, number | undefined, void> {
    const { client, overlapMs, clock } = this.#options
    let certainUntil = clock() - overlapMs
    for await (const { assets, nextCursor, allowance } of searchPages(client, this.#query(from))) {
      for (const asset of assets) yield* this.#report(asset, certainUntil)
      if (nextCursor === undefined) break
      const reached = writtenAt(assets.at(-1))
      if (reached !== undefined && reached > from) {
        checkAllowance(allowance)
        return reached
      }
      certainUntil = clock() - overlapMs
    }
    this.#progress.end(certainUntil)
    return undefined
  }

  *#report(asset: FoundAsset, certainUntil: number): Generator<Change, void, void> {
    const { scope, clock, start } = this.#options
    const written = writtenAt(asset)
    if (written !== undefined) this.#progress.reach(written, certainUntil)
    this.#read++
    const stamp = stampTime(asset.metadata?.[scope.field])
    if (stamp === Number.NEGATIVE_INFINITY) return
    this.#stamped++
    if (stamp < start.since) return
    const change = describeChange(asset, stamp)
    // an asset without a time is remembered as if it was written now
    const isNew = this.#progress.report(
      assetKey(asset.asset_id),
      stateKey(textOf(change)),
      written ?? clock()
    )
    if (!isNew) return
    const position = this.#progress.position()
    yield { ...change, cursor: () => encodeCursor(position(), scope) }
  }

  #query(from: number): SearchQuery {
    const { pageSize } = this.#options
    return {
      expression: `${WRITTEN_AT}>="${new Date(from).toISOString().replace('.000', '')}"`,
      sortBy: [WRITTEN_AT, 'asc'],
      withField: WITH_FIELDS,
      ...(pageSize !== undefined && { pageSize })
    }
  }
}

function writtenAt(asset: FoundAsset | undefined): number | undefined {
  const time = Date.parse(asset?.last_updated?.metadata_updated_at ?? '')
  return Number.isNaN(time) ? undefined : time
}
