import { PermanentError } from '../../errors.ts'
import type { AssetChange } from './asset-change.ts'
import type { ContentfulCall, ContentfulEntry } from './contentful-client.ts'

/** Fields that hold assets, by content type. */
export type ContentTypes = Readonly<Record<string, readonly string[]>>

/** Maximum entries per page. The API returns at most 1,000, and at most 7 MB. */
const PAGE = 100

/**
 * The API's reason for a page of more than 7 MB, with status 400.
 * Source: https://github.com/contentful/contentful.js/issues/336
 */
const TOO_LARGE = /response size too big/i

/** How far a read goes back before the last change it knows, since searches lag behind writes. */
const OVERLAP_MS = 5 * 60_000

/** How much the clocks of Cloudinary and Contentful may differ. */
const CLOCKS_MS = 60_000

/** A read of all entries of a content type that changed since the last one. */
interface Read {
  /** Entries read so far. */
  skip: number
  /** Milliseconds since the epoch. */
  startedAt: number
  /** Latest change seen. */
  latest: number
}

/**
 * The entries that hold assets, in memory. Contentful cannot search in fields of type JSON object, so the
 * entries are read once, and later only those that changed since.
 *
 * Source: https://www.contentful.com/developers/docs/references/content-delivery-api/#/reference/search-parameters
 */
export class ContentfulEntries {
  readonly #types: ContentTypes
  readonly #call: ContentfulCall
  readonly #clock: () => number
  /** Entries by id. */
  readonly #entries = new Map<string, { fields: unknown; updatedAt: number }>()
  /** Latest change known, by content type, in milliseconds since the epoch. */
  readonly #known = new Map<string, number>()
  /** Reads that failed, by content type. */
  readonly #unfinished = new Map<string, Read>()
  #limit = PAGE
  #running: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined

  constructor(types: ContentTypes, call: ContentfulCall, clock: () => number = Date.now) {
    this.#types = types
    this.#call = call
    this.#clock = clock
  }

  /**
   * Returns the ids of the entries that hold an asset. Those that are up to date and were written after the change
   * are left out, so that the attempts for an asset in thousands of entries together reach all of them. An older one
   * may have been written by another worker since, which searches do not show at once.
   *
   * @param occurredAt time of the change, ISO 8601
   */
  async find(change: AssetChange, occurredAt: string): Promise<string[]> {
    await this.#refresh()
    const since = Date.parse(occurredAt) + CLOCKS_MS
    const isDone = ({ fields, updatedAt }: { fields: unknown; updatedAt: number }) =>
      updatedAt > since ? change.applyTo(fields) === fields : !change.isIn(fields)
    return [...this.#entries].filter(([, entry]) => !isDone(entry)).map(([id]) => id)
  }

  /** Stores what was read or written, so that the next search sees it at once. Archived entries are not changed. */
  put(entry: ContentfulEntry): void {
    if (entry.sys.archivedVersion === undefined) {
      const updatedAt = Date.parse(entry.sys.updatedAt)
      this.#entries.set(entry.sys.id, { fields: assetFieldsOf(entry, this.#types), updatedAt })
    } else {
      this.remove(entry.sys.id)
    }
  }

  remove(id: string): void {
    this.#entries.delete(id)
  }

  /** Reads changed entries. Calls that wait for the same read share it. */
  #refresh(): Promise<void> {
    this.#next ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#running = this.#next!
        this.#next = undefined
        return this.#readAll()
      })
    return this.#next
  }

  async #readAll(): Promise<void> {
    for (const type of Object.keys(this.#types)) await this.#read(type)
  }

  async #read(type: string): Promise<void> {
    const known = this.#known.get(type)
    const read = this.#unfinished.get(type) ?? { skip: 0, startedAt: this.#clock(), latest: known ?? 0 }
    // resumes one page earlier, in case entries that were read have been deleted meanwhile
    read.skip = Math.max(0, read.skip - PAGE)
    this.#unfinished.set(type, read)
    let isLast = false
    while (!isLast) {
      const { items, total } = await this.#page(type, read.skip, known)
      for (const entry of items) {
        this.put(entry)
        read.latest = Math.max(read.latest, Date.parse(entry.sys.updatedAt))
      }
      read.skip += items.length
      isLast = items.length === 0 || read.skip >= total
    }
    this.#unfinished.delete(type)
    // entries of the first pages may have changed since they were read
    this.#known.set(type, Math.max(known ?? 0, Math.min(read.latest, read.startedAt)))
  }

  /** Reads a page. A page that is too large is read again with half the entries, and so are the later ones. */
  async #page(type: string, skip: number, known: number | undefined) {
    for (;;) {
      try {
        return await this.#call('search entries', (client) =>
          client.entry.getMany({
            query: {
              content_type: type,
              select: ['sys', ...this.#types[type]!.map((field) => `fields.${field}`)].join(','),
              // an order that changes do not affect, so that no entry slips from one page to another
              order: 'sys.id',
              limit: this.#limit,
              skip,
              ...(known !== undefined && { 'sys.updatedAt[gte]': new Date(known - OVERLAP_MS).toISOString() })
            }
          })
        )
      } catch (error) {
        if (!(error instanceof PermanentError && TOO_LARGE.test(error.message) && this.#limit > 1))
          throw error
        this.#limit = Math.ceil(this.#limit / 2)
      }
    }
  }
}

/** Returns the fields of an entry that may hold assets. */
export function assetFieldsOf(
  { sys, fields }: ContentfulEntry,
  types: ContentTypes
): Record<string, unknown> {
  const names = types[sys.contentType.sys.id] ?? []
  return Object.fromEntries(names.filter((name) => name in fields).map((name) => [name, fields[name]]))
}
