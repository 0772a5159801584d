import { createHash } from 'node:crypto'
import { ApiError } from './api-error.ts'
import { type Asset, AssetStore } from './asset-store.ts'
import { MetadataFields } from './metadata-field-store.ts'
import { PollChannels } from './poll-channels.ts'
import { SearchIndex, type SearchLag } from './search-index.ts'
import { Triggers } from './trigger-store.ts'

export interface ApiKey {
  apiKey: string
  apiSecret: string
}

export interface EnvironmentOptions extends ApiKey {
  cloudName: string
  /** Further keys that may call the API; one is made up where none is given. */
  foreignKeys?: ApiKey[]
}

/** One product environment: its API keys, its assets, its metadata fields, and where it sends notifications. */
export class Cloud {
  readonly name: string
  /** The listener's own key. It is the oldest one, so it is also the one notifications are signed with. */
  readonly own: ApiKey
  /** Keys of others ("colleagues"): what they change, the listener has to react to. Never empty. */
  readonly foreign: [ApiKey, ...ApiKey[]]
  readonly assets = new AssetStore()
  readonly metadataFields = new MetadataFields()
  readonly triggers = new Triggers()
  readonly channels = new PollChannels()
  /** Where its assets are delivered, `http://HOST:PORT`; undefined for Cloudinary's own address, where nothing is served. */
  deliveryOrigin: string | undefined
  /** What the Search API finds, where it lags behind the assets. */
  readonly #index: SearchIndex | undefined

  constructor({ cloudName, apiKey, apiSecret, foreignKeys = [] }: EnvironmentOptions, searchLag?: SearchLag) {
    this.name = cloudName
    this.own = { apiKey, apiSecret }
    const [first = colleagueOf(cloudName), ...others] = foreignKeys
    this.foreign = [first, ...others]
    this.#index = searchLag && new SearchIndex(searchLag)
  }

  /** Tells the Search API of assets that were added or changed. */
  index(assets: readonly Asset[], now: number): void {
    for (const asset of assets) this.#index?.write(asset, now)
  }

  /** Removes assets. */
  remove(assets: readonly Asset[], now: number): void {
    for (const asset of assets) {
      this.assets.remove(asset)
      this.#index?.remove(asset, now)
    }
  }

  /** The assets as the Search API knows them. */
  indexed(now: number): Asset[] {
    return this.#index?.all(now) ?? this.assets.all()
  }

  /** The secret that belongs to an API key, or undefined if the key is none of this cloud's. */
  secretOf(apiKey: string): string | undefined {
    return [this.own, ...this.foreign].find((key) => key.apiKey === apiKey)?.apiSecret
  }

  /** What goes into `CLOUDINARY_URL` to call this cloud at `origin` with one of its keys. */
  cloudinaryUrl(origin: string, key: ApiKey = this.own): string {
    return `cloudinary://${key.apiKey}:${key.apiSecret}@${this.name}?upload_prefix=${origin}`
  }
}

/** A key pair that looks like Cloudinary's (15 digits) and is the same at every start. */
function colleagueOf(cloudName: string): ApiKey {
  const digest = createHash('sha256').update(`colleague of ${cloudName}`).digest()
  return {
    apiKey: digest.readBigUInt64BE().toString().padStart(15, '0').slice(0, 15),
    apiSecret: digest.toString('base64url', 8, 28)
  }
}

/** Finds a cloud, by default the first one. @throws {ApiError} 404 */
export function cloudNamed(clouds: ReadonlyMap<string, Cloud>, name?: string): Cloud {
  const cloud = name === undefined ? clouds.values().next().value : clouds.get(name)
  if (!cloud) throw new ApiError(404, `There is no cloud ${name}`)
  return cloud
}
