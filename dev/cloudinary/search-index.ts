import type { Asset } from './asset-store.ts'

/** How long after a change the Search API finds it, in milliseconds; asked for each change. */
export type SearchLag = (asset: Asset) => number

interface Entry {
  /** What is found now: the asset as it was after some change, or nothing. */
  found: Asset | undefined
  /** What the changes since made of it, in the order they were made; nothing is left by a deletion. */
  coming: { asset: Asset | undefined; at: number }[]
}

/**
 * What the Search API knows of the assets: they as they were when last indexed. Changes of different assets may be
 * indexed in any order. Of one asset, a change that is indexed before an earlier one covers it, so that an asset is
 * never found older than it was found before.
 */
export class SearchIndex {
  readonly #lag: SearchLag
  readonly #entries = new Map<string, Entry>()

  constructor(lag: SearchLag) {
    this.#lag = lag
  }

  /** Takes an asset in, as it is now, to be found after the lag. */
  write(asset: Asset, now: number): void {
    this.#entryOf(asset).coming.push({ asset: structuredClone(asset), at: now + this.#lag(asset) })
  }

  /** Has an asset be found no more, after the lag. */
  remove(asset: Asset, now: number): void {
    this.#entryOf(asset).coming.push({ asset: undefined, at: now + this.#lag(asset) })
  }

  /** What is found at a time, which must not be before that of an earlier call. */
  all(now: number): Asset[] {
    const assets: Asset[] = []
    for (const [id, entry] of this.#entries) {
      const last = entry.coming.findLastIndex(({ at }) => at <= now)
      if (last >= 0) {
        entry.found = entry.coming[last]?.asset
        entry.coming.splice(0, last + 1)
      }
      if (entry.found) assets.push(entry.found)
      else if (entry.coming.length === 0) this.#entries.delete(id)
    }
    return assets
  }

  #entryOf({ assetId }: Asset): Entry {
    const known = this.#entries.get(assetId)
    if (known) return known
    const entry: Entry = { found: undefined, coming: [] }
    this.#entries.set(assetId, entry)
    return entry
  }
}
