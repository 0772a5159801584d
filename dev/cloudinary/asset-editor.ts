import { isDeepStrictEqual } from 'node:util'
import { ApiError } from './api-error.ts'
import { changeDetails, type Details } from './asset-details.ts'
import type { Asset, Context, Kind, Moderation } from './asset-store.ts'
import type { Cloud } from './cloud.ts'
import { deriveLater, deriveNow, type EagerRules } from './eager-transformations.ts'
import {
  contextNotification,
  deleteNotification,
  eagerNotification,
  envelope,
  metadataNotification,
  moderationNotification,
  type Notification,
  type Origin,
  renameNotification,
  tagsNotification,
  uploadNotification
} from './notifications.ts'
import type { Notifier } from './notifier.ts'
import { mergeMetadata, storeUpload, type Upload, type Uploaded } from './store-upload.ts'
import { type TagCommand, tagsAfter } from './tags.ts'
import { isoSeconds } from './times.ts'

export interface Tools {
  /** Unix time, milliseconds. */
  clock: () => number
  notifier: Notifier
  eager: EagerRules
  /** True if notifications have the format of before 2024. */
  usesOldFormat: boolean
}

const BULK_LIMIT = 1000

/**
 * Changes assets of a cloud on behalf of an origin. A call that changes anything sends one notification, for
 * any number of assets.
 */
export class AssetEditor {
  readonly #cloud: Cloud
  readonly #origin: Origin
  readonly #tools: Tools
  readonly #notificationUrl: string | undefined

  constructor(cloud: Cloud, origin: Origin, tools: Tools, notificationUrl?: string) {
    this.#cloud = cloud
    this.#origin = origin
    this.#tools = tools
    this.#notificationUrl = notificationUrl
  }

  /** @throws {ApiError} 400 for invalid metadata */
  upload(upload: Upload): Uploaded {
    const now = this.#tools.clock()
    const uploaded = storeUpload(this.#cloud, upload, { now, by: this.#origin.id })
    const { asset, ...flags } = uploaded
    this.#cloud.index([asset], now)
    const key = this.#origin.source === 'api' && { api_key: this.#origin.id }
    this.#notify(uploadNotification(asset, this.#cloud, { ...flags, ...key }))
    return uploaded
  }

  addTags(publicIds: string | string[], tags: string[], kind?: Kind): Asset[] {
    return this.changeTags('add', publicIds, tags, kind)
  }

  removeTags(publicIds: string | string[], tags: string[], kind?: Kind): Asset[] {
    return this.changeTags('remove', publicIds, tags, kind)
  }

  /** @returns the assets found, changed or not */
  changeTags(command: TagCommand, publicIds: string | string[], tags: string[], kind: Kind = {}): Asset[] {
    const assets = this.#find(publicIds, kind)
    const others = command === 'set_exclusive' ? this.#others(assets, kind) : []
    const changes = [
      ...assets.map((asset) => ({ asset, after: tagsAfter(command, tags, asset.tags) })),
      ...others.map((asset) => ({ asset, after: tagsAfter('remove', tags, asset.tags) }))
    ]
      .map(({ asset, after }) => ({
        asset,
        after,
        added: after.filter((tag) => !asset.tags.includes(tag)),
        removed: asset.tags.filter((tag) => !after.includes(tag))
      }))
      .filter(({ added, removed }) => added.length + removed.length > 0)
    for (const { asset, after } of changes) {
      asset.tags = after
      this.#touch(asset, 'tagsUpdatedAt')
    }
    if (changes.length > 0) this.#notify(tagsNotification(changes))
    return assets
  }

  /** Sets the given metadata fields; null clears one. @returns the assets found */
  setMetadata(publicIds: string | string[], values: Record<string, unknown>, kind: Kind = {}): Asset[] {
    const parsed = this.#cloud.metadataFields.parse(values)
    const assets = this.#find(publicIds, kind)
    const changes = assets
      .map((asset) => ({ asset, previous: asset.metadata, after: mergeMetadata(asset.metadata, parsed) }))
      .filter(({ previous, after }) => !isDeepStrictEqual(previous, after))
    for (const { asset, after } of changes) {
      asset.metadata = after
      this.#touch(asset, 'metadataUpdatedAt')
    }
    if (changes.length > 0) this.#notify(metadataNotification(changes))
    return assets
  }

  /** Replaces the context of assets by `after` of it. @returns the assets found */
  changeContext(publicIds: string | string[], after: (before: Context) => Context, kind: Kind = {}): Asset[] {
    const assets = this.#find(publicIds, kind)
    const changes = assets
      .map((asset) => ({ asset, previous: asset.context, context: after(asset.context) }))
      .filter(({ previous, context }) => !isDeepStrictEqual(previous, context))
    for (const { asset, context } of changes) {
      asset.context = context
      this.#touch(asset, 'contextUpdatedAt')
    }
    if (changes.length > 0) this.#notify(contextNotification(changes))
    return assets
  }

  /** Moves, names or restricts an asset; each change sends a notification. @returns the assets found */
  changeDetails(publicId: string, details: Details, kind: Kind = {}): Asset[] {
    const assets = this.#find(publicId, kind)
    for (const asset of assets) {
      const notifications = changeDetails(asset, details)
      if (notifications.length > 0) this.#touch(asset)
      for (const notification of notifications) this.#notify(notification)
    }
    return assets
  }

  /** Decides about an asset, by default as a person. @returns the assets found */
  moderate(
    publicId: string,
    status: Moderation['status'],
    { moderationKind = 'manual', ...kind }: Kind & { moderationKind?: string } = {}
  ): Asset[] {
    const assets = this.#find(publicId, kind)
    for (const asset of assets) {
      const updated_at = isoSeconds(this.#tools.clock())
      const decision: Moderation = { kind: moderationKind, status, updated_at }
      asset.moderation = [...asset.moderation.filter(({ kind }) => kind !== moderationKind), decision]
      this.#touch(asset)
      this.#notify(moderationNotification(asset, this.#cloud, decision))
    }
    return assets
  }

  /** @throws {ApiError} 404 for a missing asset, 400 for a taken name */
  rename(from: string, to: string, options: Kind & { toType?: string; overwrite?: boolean } = {}): Asset {
    const { toType, overwrite, ...kind } = options
    const [asset] = this.#find(from, kind)
    if (!asset) throw new ApiError(404, `Resource not found - ${from}`)
    const before = { publicId: asset.publicId, type: asset.type }
    const type = toType ?? asset.type
    const taken = this.#cloud.assets.find(to, { resourceType: asset.resourceType, type })
    if (taken && !overwrite) throw new ApiError(400, `to_public_id (${to}) already exists`)
    if (taken) this.#cloud.remove([taken], this.#tools.clock())
    this.#cloud.assets.rename(asset, to, type)
    this.#touch(asset, 'publicIdUpdatedAt')
    this.#notify(renameNotification(asset, before))
    return asset
  }

  /** @returns the deleted assets */
  destroy(publicIds: string | string[], kind: Kind = {}): Asset[] {
    const assets = this.#find(publicIds, kind)
    this.#cloud.remove(assets, this.#tools.clock())
    if (assets.length > 0) this.#notify(deleteNotification(assets))
    return assets
  }

  /** Creates derived assets, now or later. @returns the `eager` field of the response */
  derive(asset: Asset, eager: string, later: { async?: boolean; notificationUrl?: string } = {}): object[] {
    if (!later.async) return deriveNow(asset, this.#cloud, eager, this.#tools.eager)
    const { batchId, processing, results } = deriveLater(asset, this.#cloud, eager, this.#tools.eager)
    this.#notify(eagerNotification(asset, batchId, results), later.notificationUrl)
    return processing
  }

  #find(publicIds: string | string[], kind: Kind): Asset[] {
    const names = new Set(Array.isArray(publicIds) ? publicIds : [publicIds])
    if (names.size > BULK_LIMIT) throw new ApiError(400, `Too many public IDs: at most ${BULK_LIMIT}`)
    return [...names]
      .map((name) => this.#cloud.assets.find(name, kind))
      .filter((asset) => asset !== undefined)
  }

  #others(assets: Asset[], { resourceType = 'image', type = 'upload' }: Kind): Asset[] {
    return this.#cloud.assets
      .all()
      .filter(
        (asset) => asset.resourceType === resourceType && asset.type === type && !assets.includes(asset)
      )
  }

  #touch(asset: Asset, field: keyof Asset['lastUpdated'] = 'updatedAt'): void {
    const now = this.#tools.clock()
    asset.lastUpdated.updatedAt = now
    asset.lastUpdated[field] = now
    this.#cloud.index([asset], now)
  }

  #notify(notification: Notification, url = this.#notificationUrl): void {
    const now = this.#tools.clock()
    const { usesOldFormat } = this.#tools
    const signatureKey = this.#cloud.own.apiKey
    const body = envelope(notification, { origin: this.#origin, now, signatureKey, usesOldFormat })
    void this.#tools.notifier.send(this.#cloud, JSON.stringify(body), url)
  }
}
