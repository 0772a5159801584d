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
  /** Further API keys. (Default: one is generated) */
  foreignKeys?: ApiKey[]
}

/** A product environment: API keys, assets, metadata fields and triggers. */
export class Cloud {
  readonly name: string
  /** The listener's own key. As the oldest one, it also signs notifications. */
  readonly own: ApiKey
  /** Keys of colleagues, whose changes the listener processes. Never empty. */
  readonly foreign: [ApiKey, ...ApiKey[]]
  readonly assets = new AssetStore()
  readonly metadataFields = new MetadataFields()
  readonly triggers = new Triggers()
  readonly channels = new PollChannels()
  /** Origin of delivery URLs, `http://HOST:PORT`; undefined for Cloudinary's. */
  deliveryOrigin: string | undefined
  /** Content of the Search API, where it lags behind the assets. */
  readonly #index: SearchIndex | undefined

  constructor({ cloudName, apiKey, apiSecret, foreignKeys = [] }: EnvironmentOptions, searchLag?: SearchLag) {
    this.name = cloudName
    this.own = { apiKey, apiSecret }
    const [first = colleagueOf(cloudName), ...others] = foreignKeys
    this.foreign = [first, ...others]
    this.#index = searchLag && new SearchIndex(searchLag)
  }

  /** Updates the Search API. */
  index(assets: readonly Asset[], now: number): void {
    for (const asset of assets) this.#index?.write(asset, now)
  }

  remove(assets: readonly Asset[], now: number): void {
    for (const asset of assets) {
      this.assets.remove(asset)
      this.#index?.remove(asset, now)
    }
  }

  /** Returns the assets that the Search API finds. */
  indexed(now: number): Asset[] {
    return this.#index?.all(now) ?? this.assets.all()
  }

  /** Returns the secret of an API key; undefined for an unknown key. */
  secretOf(apiKey: string): string | undefined {
    return [this.own, ...this.foreign].find((key) => key.apiKey === apiKey)?.apiSecret
  }

  /** Returns the `CLOUDINARY_URL` of this cloud at `origin`. */
  cloudinaryUrl(origin: string, key: ApiKey = this.own): string {
    return `cloudinary://${key.apiKey}:${key.apiSecret}@${this.name}?upload_prefix=${origin}`
  }
}

/** Derives a key of 15 digits, like Cloudinary's, from the name of the cloud. */
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
