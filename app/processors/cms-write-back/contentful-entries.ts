import type { AssetChange } from './asset-change.ts'
import type { ContentfulCall, ContentfulEntry } from './contentful-client.ts'

/** Fields that hold assets, by content type. */
export type ContentTypes = Readonly<Record<string, readonly string[]>>

/** Entries per page. The API returns at most 1,000, and at most 7 MB. */
const PAGE = 500

/** How far a read goes back before the last change it knows, since searches lag behind writes. */
const OVERLAP_MS = 5 * 60_000

/**
 * The entries that hold assets, in memory. Contentful cannot search in fields of type JSON object, so the
 * entries are read once, and later only those that changed since.
 *
 * Source: https://www.contentful.com/developers/docs/references/content-delivery-api/#/reference/search-parameters
 */
export class ContentfulEntries {
  readonly #types: ContentTypes
  readonly #call: ContentfulCall
  /** The fields with assets of each entry, by entry id. */
  readonly #fields = new Map<string, unknown>()
  /** Latest change known, by content type, in milliseconds since the epoch. */
  readonly #known = new Map<string, number>()
  #running: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined

  constructor(types: ContentTypes, call: ContentfulCall) {
    this.#types = types
    this.#call = call
  }

  /** Returns the ids of the entries that hold an asset now. */
  async find(change: AssetChange): Promise<string[]> {
    await this.#refresh()
    return [...this.#fields].filter(([, fields]) => change.isIn(fields)).map(([id]) => id)
  }

  /** Stores what was read or written, so that the next search sees it at once. */
  put(entry: ContentfulEntry): void {
    this.#fields.set(entry.sys.id, assetFieldsOf(entry, this.#types))
  }

  remove(id: string): void {
    this.#fields.delete(id)
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
    for (const [type, fields] of Object.entries(this.#types)) await this.#read(type, fields)
  }

  async #read(type: string, fields: readonly string[]): Promise<void> {
    const known = this.#known.get(type)
    let latest = known ?? 0
    for (let skip = 0; ; skip += PAGE) {
      const { items } = await this.#call('search entries', (client) =>
        client.entry.getMany({
          query: {
            content_type: type,
            select: ['sys', ...fields.map((field) => `fields.${field}`)].join(','),
            // an order that changes do not affect, so that no entry slips from one page to another
            order: 'sys.id',
            limit: PAGE,
            skip,
            ...(known !== undefined && { 'sys.updatedAt[gte]': new Date(known - OVERLAP_MS).toISOString() })
          }
        })
      )
      for (const entry of items) {
        this.put(entry)
        latest = Math.max(latest, Date.parse(entry.sys.updatedAt))
      }
      if (items.length < PAGE) break
    }
    // only after the last page: a read that fails starts again
    this.#known.set(type, latest)
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
