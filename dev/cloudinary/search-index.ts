import type { Asset } from './asset-store.ts'

/** Returns how long after a change the Search API finds it, in milliseconds. Called for each change. */
export type SearchLag = (asset: Asset) => number

interface Entry {
  /** The state that a search finds; undefined if it does not find the asset. */
  indexed: Asset | undefined
  /** Later states that are not indexed yet, in order; undefined for a deletion. */
  pending: { asset: Asset | undefined; at: number }[]
}

/**
 * The index of the Search API: assets as they were when last indexed. Changes of different assets are indexed
 * in any order. If a later change of an asset is indexed first, the earlier one is dropped, so an asset never
 * reverts to an older state.
 */
export class SearchIndex {
  readonly #lag: SearchLag
  readonly #entries = new Map<string, Entry>()

  constructor(lag: SearchLag) {
    this.#lag = lag
  }

  /** Indexes the current state of an asset, after the lag. */
  write(asset: Asset, now: number): void {
    this.#entryOf(asset).pending.push({ asset: structuredClone(asset), at: now + this.#lag(asset) })
  }

  /** Removes an asset, after the lag. */
  remove(asset: Asset, now: number): void {
    this.#entryOf(asset).pending.push({ asset: undefined, at: now + this.#lag(asset) })
  }

  /** Returns the assets found at a time, which must not be before the one of an earlier call. */
  all(now: number): Asset[] {
    const assets: Asset[] = []
    for (const [id, entry] of this.#entries) {
      const last = entry.pending.findLastIndex(({ at }) => at <= now)
      if (last >= 0) {
        entry.indexed = entry.pending[last]?.asset
        entry.pending.splice(0, last + 1)
      }
      if (entry.indexed) assets.push(entry.indexed)
      else if (entry.pending.length === 0) this.#entries.delete(id)
    }
    return assets
  }

  #entryOf({ assetId }: Asset): Entry {
    const known = this.#entries.get(assetId)
    if (known) return known
    const entry: Entry = { indexed: undefined, pending: [] }
    this.#entries.set(assetId, entry)
    return entry
  }
}
