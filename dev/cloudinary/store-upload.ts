import { randomBytes } from 'node:crypto'
import type { Asset, Context, Kind, Metadata } from './asset-store.ts'
import type { Cloud } from './cloud.ts'
import { describeMedia, type Media, TINY_PNG } from './media.ts'

export interface Upload extends Kind {
  /** Public ID of the asset. (Default: generated) */
  publicId?: string
  /** Content of the file. (Default: one red pixel) */
  content?: string | Buffer
  /** Overrides the values derived from the file. */
  media?: Partial<Media>
  tags?: string[]
  context?: Context
  metadata?: Record<string, unknown>
  assetFolder?: string
  displayName?: string
  originalFilename?: string
  /** Replaces an existing asset of this name. (Default: true) */
  overwrite?: boolean
}

export interface Uploaded {
  asset: Asset
  /** Set if the asset existed and was not changed. */
  existing?: true
  /** Set if an asset was replaced; only its asset ID is kept. */
  overwritten?: true
}

/** Stores an upload. @throws {ApiError} 400 for invalid metadata */
export function storeUpload(
  cloud: Cloud,
  upload: Upload,
  { now, by }: { now: number; by: string }
): Uploaded {
  const content = Buffer.from(upload.content ?? TINY_PNG)
  const media: Media = { ...describeMedia(content, '', upload.resourceType ?? 'image'), ...upload.media }
  const publicId = upload.publicId ?? randomPublicId()
  const type = upload.type ?? 'upload'
  const before = cloud.assets.find(publicId, { resourceType: media.resourceType, type })
  if (before && upload.overwrite === false) return { asset: before, existing: true }
  const asset: Asset = {
    ...media,
    content,
    assetId: before?.assetId ?? randomBytes(16).toString('hex'),
    publicId,
    type,
    version: Math.max(Math.floor(now / 1000), (before?.version ?? 0) + 1),
    versionId: randomBytes(16).toString('hex'),
    assetFolder: upload.assetFolder ?? '',
    displayName: upload.displayName ?? publicId.slice(publicId.lastIndexOf('/') + 1),
    originalFilename: upload.originalFilename ?? 'file',
    tags: upload.tags ?? [],
    context: upload.context ?? {},
    metadata: mergeMetadata({}, cloud.metadataFields.parse(upload.metadata ?? {})),
    derived: [],
    accessControl: [],
    moderation: [],
    createdAt: before?.createdAt ?? now,
    uploadedAt: now,
    uploadedBy: by,
    lastUpdated: { updatedAt: now }
  }
  if (before) cloud.assets.remove(before)
  cloud.assets.add(asset)
  return { asset, ...(before && { overwritten: true as const }) }
}

/** Generates a public ID of 20 letters and digits. */
export function randomPublicId(): string {
  return randomBytes(10).toString('hex')
}

/** Sets the given fields; null clears one. */
export function mergeMetadata(before: Metadata, changes: Record<string, Metadata[string] | null>): Metadata {
  const merged = Object.entries({ ...before, ...changes })
  return Object.fromEntries(merged.filter((entry): entry is [string, Metadata[string]] => entry[1] !== null))
}
