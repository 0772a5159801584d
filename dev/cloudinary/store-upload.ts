import { randomBytes } from 'node:crypto'
import type { Asset, Context, Kind, Metadata } from './asset-store.ts'
import type { Cloud } from './cloud.ts'
import { describeMedia, type Media, TINY_PNG } from './media.ts'

export interface Upload extends Kind {
  /** Made up where absent. */
  publicId?: string
  /** What is in the file; default one red pixel. */
  content?: string | Buffer
  /** What is given here overrides what a look at the file would tell. */
  media?: Partial<Media>
  tags?: string[]
  context?: Context
  metadata?: Record<string, unknown>
  assetFolder?: string
  displayName?: string
  originalFilename?: string
  /** Default true: an asset of that name gets a new version. False leaves it as it is. */
  overwrite?: boolean
}

export interface Uploaded {
  asset: Asset
  /** There was such an asset, and it was left as it is. */
  existing?: true
  /** There was such an asset; it keeps its asset ID, and nothing else. */
  overwritten?: true
}

/** Stores an upload. @throws {ApiError} 400 if its metadata is not what the fields take */
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
    createdAt: before?.createdAt ?? now,
    uploadedAt: now,
    uploadedBy: by,
    lastUpdated: { updatedAt: now }
  }
  if (before) cloud.assets.remove(before)
  cloud.assets.add(asset)
  return { asset, ...(before && { overwritten: true as const }) }
}

/** A name for an asset that was given none: 20 letters and digits. */
export function randomPublicId(): string {
  return randomBytes(10).toString('hex')
}

/** Sets what is given and leaves the rest; null clears a field. */
export function mergeMetadata(before: Metadata, changes: Record<string, Metadata[string] | null>): Metadata {
  const merged = Object.entries({ ...before, ...changes })
  return Object.fromEntries(merged.filter((entry): entry is [string, Metadata[string]] => entry[1] !== null))
}
