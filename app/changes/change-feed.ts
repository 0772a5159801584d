import { z } from 'zod'
import type { CloudinaryClient } from '../cloudinary/client.ts'
import { checkAllowance, type FoundAsset, type SearchQuery, searchPages } from '../cloudinary/search.ts'
import { ListenerError } from '../errors.ts'
import { assetKey, decodeCursor, encodeCursor, type Position, type Scope, stateKey } from './change-cursor.ts'
import { type ChangedAsset, describeChange, textOf, WITH_FIELDS } from './changed-asset.ts'
import { Progress } from './feed-progress.ts'
import { stampTime } from './stamp-time.ts'

export interface Change extends ChangedAsset {
  /** Goes on after this change. Costs more than a field would, so take it when you keep it. */
  cursor: () => string
}

export interface ChangesOptions {
  /** Where to begin: changes whose stamp is not older. Either this or `cursor`. */
  since?: Date
  /** Where an earlier reading left off. */
  cursor?: string
  /** External id of the metadata field that `lastUpdateTimestamp` writes; default `last_update_timestamp`. */
  field?: string
  /** How far Cloudinary's index may lag behind, with the difference of the clocks, in seconds; default 300. */
  overlapSeconds?: number
  /** Assets asked for in one call; default 500, which is the most. */
  pageSize?: number
  /** Milliseconds since the epoch. */
  clock?: () => number
}

export const DEFAULT_FIELD = 'last_update_timestamp'
export const DEFAULT_OVERLAP_SECONDS = 300

const Options = z.strictObject({
  since: z.date().min(0, 'since is a time before 1970').optional(),
  cursor: z.string().optional(),
  field: z.string().min(1).max(255).default(DEFAULT_FIELD),
  overlapSeconds: z.number().min(0).max(86_400).default(DEFAULT_OVERLAP_SECONDS),
  pageSize: z.int().min(1).max(500).optional(),
  clock: z.custom<() => number>((value) => typeof value === 'function').default(() => Date.now)
})

/** When a stamp was written: writing it changes the metadata. Whether string metadata bears a range query is not sure. */
const WRITTEN_AT = 'last_updated.metadata_updated_at'

/**
 * The assets whose stamp (see `lastUpdateTimestamp`) moved, through Cloudinary's Search API, in the order in which the
 * stamps were written: `for await (const change of changes(client, { since }))`. It ends when there are no more for now;
 * keep a cursor and go on from it later. Nothing is missed as long as the index lags no more than the overlap, and no
 * state of an asset is told twice. Costs a call of the Admin API for every 500 assets, and at least one.
 *
 * @throws {ListenerError} CHANGES_OPTIONS_INVALID, CHANGES_CURSOR_INVALID; while it is read, {@link CloudinaryError}:
 *   CLOUDINARY_ALLOWANCE_SPENT and CLOUDINARY_RATE_LIMITED with the time at which to go on, from the cursor
 */
export function changes(client: CloudinaryClient, options: ChangesOptions): ChangeFeed {
  const result = Options.safeParse(options)
  if (!result.success) {
    throw invalid(result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '))
  }
  const { since, cursor, field, overlapSeconds, pageSize, clock } = result.data
  const scope = { cloudName: client.cloudName, field }
  const overlapMs = overlapSeconds * 1000
  if ((since === undefined) === (cursor === undefined)) throw invalid('give either `since` or `cursor`')
  if (since && since.getTime() > clock()) throw invalid(`since: ${since.toISOString()} is yet to come`)
  const start = cursor === undefined ? beginning(since as Date, overlapMs) : decodeCursor(cursor, scope)
  return new ChangeFeed({ client, scope, overlapMs, pageSize, clock, start })
}

/** Clocks differ, and the index knows seconds: what was written a little before may have a stamp that is not older. */
const beginning = (since: Date, overlapMs: number): Position => ({
  since: since.getTime(),
  settled: Math.max(0, Math.floor((since.getTime() - overlapMs) / 1000) * 1000),
  told: new Map()
})

const invalid = (message: string) => new ListenerError('CHANGES_OPTIONS_INVALID', message)

interface FeedOptions {
  client: CloudinaryClient
  scope: Scope
  overlapMs: number
  pageSize: number | undefined
  clock: () => number
  start: Position
}

/** The changes, and how far they were read. It can be read again, and then begins where it was left. */
export class ChangeFeed implements AsyncIterable<Change> {
  readonly #options: FeedOptions
  readonly #progress: Progress
  #read = 0
  #stamped = 0

  constructor(options: FeedOptions) {
    this.#options = options
    this.#progress = new Progress(options.start)
  }

  /** Goes on after the last change that was taken; after the end, with what has yet to come. */
  cursor(): string {
    return encodeCursor(this.#progress.position()(), this.#options.scope)
  }

  /** How many assets were read, those that are no change, and those that were told or read before, included. */
  get assetsRead(): number {
    return this.#read
  }

  /** How many of those have a time in the field. */
  get assetsStamped(): number {
    return this.#stamped
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Change, void, void> {
    let from: number | undefined = this.#progress.begin()
    while (from !== undefined) from = yield* this.#readFrom(from)
  }

  /**
   * Reads to the end of the index, or of a page: the next page is a search of its own, from the time at which the one
   * before ended, since a search's own cursor may lose assets while they change. Within one second there is no other.
   *
   * @returns from where to go on
   */
  async *#readFrom(from: number): AsyncGenerator<Change, number | undefined, void> {
    const { client, overlapMs, clock } = this.#options
    let certainUntil = clock() - overlapMs
    for await (const { assets, nextCursor, allowance } of searchPages(client, this.#query(from))) {
      for (const asset of assets) yield* this.#take(asset, certainUntil)
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

  *#take(asset: FoundAsset, certainUntil: number): Generator<Change, void, void> {
    const { scope, clock, start } = this.#options
    const written = writtenAt(asset)
    if (written !== undefined) this.#progress.reach(written, certainUntil)
    this.#read++
    const stamp = stampTime(asset.metadata?.[scope.field])
    if (stamp === Number.NEGATIVE_INFINITY) return
    this.#stamped++
    if (stamp < start.since) return
    const change = describeChange(asset, stamp)
    // one of which nobody says when it was written is remembered as if it were now
    const isNew = this.#progress.tell(assetKey(asset.asset_id), stateKey(textOf(change)), written ?? clock())
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
