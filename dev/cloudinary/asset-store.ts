import type { MetadataValue } from './metadata-field-store.ts'

export type Metadata = Record<string, MetadataValue>
export type Context = Record<string, string>

/** Resource type and delivery type: a public ID is unique only within both. */
export interface Kind {
  /** `image`, `video` or `raw`. (Default: `image`) */
  resourceType?: string
  /** `upload`, `private`, `authenticated`, … (Default: `upload`) */
  type?: string
}

/** Who may see an asset. Without rules, everyone may. */
export interface AccessRule {
  access_type: 'token' | 'anonymous'
  start?: string
  end?: string
}

/** A reviewer's decision about an asset. */
export interface Moderation {
  /** `manual` or an add-on, such as `aws_rek`. */
  kind: string
  status: 'approved' | 'rejected'
  updated_at: string
}

/** The stored result of a transformation. HLS has no width and height. */
export interface Derived {
  transformation: string
  width?: number
  height?: number
  bytes: number
  format: string
  url: string
  secure_url: string
}

/** A stored asset. Times are Unix time in milliseconds. */
export interface Asset {
  readonly assetId: string
  publicId: string
  readonly resourceType: string
  type: string
  /** Unix time of the last upload in seconds, always increasing. */
  version: number
  versionId: string
  format?: string
  width?: number
  height?: number
  /** Duration of a video, in seconds. */
  duration?: number
  bytes: number
  /** MD5 of the bytes. */
  etag: string
  content: Buffer
  assetFolder: string
  displayName: string
  originalFilename?: string
  tags: string[]
  context: Context
  metadata: Metadata
  derived: Derived[]
  accessControl: AccessRule[]
  /** The latest decision of each kind. */
  moderation: Moderation[]
  createdAt: number
  uploadedAt: number
  /** API key or user of the upload. */
  uploadedBy: string
  lastUpdated: {
    updatedAt: number
    tagsUpdatedAt?: number
    metadataUpdatedAt?: number
    contextUpdatedAt?: number
    publicIdUpdatedAt?: number
  }
}

const nameOf = (publicId: string, { resourceType = 'image', type = 'upload' }: Kind): string =>
  `${resourceType}/${type}/${publicId}`

/** The assets of one cloud, by name and by asset ID. */
export class AssetStore {
  readonly #byName = new Map<string, Asset>()
  readonly #byId = new Map<string, Asset>()

  find(publicId: string, kind: Kind = {}): Asset | undefined {
    return this.#byName.get(nameOf(publicId, kind))
  }

  findById(assetId: string): Asset | undefined {
    return this.#byId.get(assetId)
  }

  /** Returns all assets, the oldest first. */
  all(): Asset[] {
    return [...this.#byId.values()]
  }

  add(asset: Asset): void {
    this.#byName.set(nameOf(asset.publicId, asset), asset)
    this.#byId.set(asset.assetId, asset)
  }

  remove(asset: Asset): void {
    this.#byName.delete(nameOf(asset.publicId, asset))
    this.#byId.delete(asset.assetId)
  }

  /** Renames an asset, which keeps its asset ID and its position in `all`. */
  rename(asset: Asset, publicId: string, type: string): void {
    this.#byName.delete(nameOf(asset.publicId, asset))
    asset.publicId = publicId
    asset.type = type
    this.#byName.set(nameOf(publicId, asset), asset)
  }
}
