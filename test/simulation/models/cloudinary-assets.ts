import { createHash } from 'node:crypto'
import type { ChangePlan, CloudPlan } from '../plan.ts'
import { START } from '../scheduler.ts'
import type { Asset } from './notification-bodies.ts'
import type { PollChannel } from './poll-channel.ts'

export interface Key {
  apiKey: string
  apiSecret: string
  /** When it was added to the secret. */
  since: number
}

/** A product environment. */
export interface Cloud {
  plan: CloudPlan
  /** Active keys; notifications are signed with the first, the oldest. */
  keys: Key[]
  assets: Map<string, Asset>
  channel: PollChannel
}

/** Returns the assets that a change is about. An upload may create its asset. */
export function changedAssets(
  { assets, plan: { name } }: Cloud,
  { kind, asset, variant }: ChangePlan
): Asset[] {
  if (kind === 'create_folder') return []
  const numbers =
    kind === 'resource_tags_changed' && variant % 5 === 0 ? [asset, asset + 1, asset + 2] : [asset]
  return numbers.flatMap((number) => {
    const id = assetIdOf(name, number)
    const known = assets.get(id)
    if (known || kind !== 'upload') return known ?? []
    // a video has the public id of each image: neither may be taken for the other
    const resourceType = number % 4 === 3 ? 'video' : 'image'
    const created: Asset = {
      asset_id: id,
      public_id: `asset-${number - (number % 2)}`,
      resource_type: number % 2 === 1 ? 'raw' : resourceType,
      type: 'upload',
      version: 0,
      etag: '',
      tags: [],
      tagChange: { added: [], removed: [] },
      metadata: {},
      context: {},
      created_at: '',
      uploaded_at: '',
      last_updated: {}
    }
    assets.set(id, created)
    return created
  })
}

/** Applies a change at a time. Returns whether the asset was changed. */
export function applyChange(
  { kind, variant }: ChangePlan,
  asset: Asset,
  { assets }: Cloud,
  at: number
): boolean {
  const now = isoOf(at)
  switch (kind) {
    case 'upload': {
      const version = Math.floor(at / 1000)
      const etag = createHash('md5').update(`content ${variant}`).digest('hex')
      // the same bytes again within a second leave the asset as it is
      if (asset.version === version && asset.etag === etag) return false
      Object.assign(asset, { version, etag, uploaded_at: now, created_at: asset.created_at || now })
      return true
    }
    case 'resource_tags_changed': {
      const tag = `tag-${variant % 3}`
      const isThere = asset.tags.includes(tag)
      asset.tags = isThere ? asset.tags.filter((each) => each !== tag) : [...asset.tags, tag]
      asset.tagChange = isThere ? { added: [], removed: [tag] } : { added: [tag], removed: [] }
      asset.last_updated.tags_updated_at = now
      return true
    }
    case 'resource_metadata_changed':
      asset.previousMetadata = asset.metadata
      asset.metadata = { ...asset.metadata, cms_id: `cms-${variant}` }
      asset.last_updated.metadata_updated_at = now
      return true
    case 'resource_context_changed':
      asset.context = { ...asset.context, caption: `caption-${variant}` }
      asset.last_updated.context_updated_at = now
      return true
    case 'rename':
      asset.previousPublicId = asset.public_id
      asset.public_id = `renamed-${asset.asset_id.slice(-4)}-${variant}`
      return true
    case 'delete':
      assets.delete(asset.asset_id)
      return true
    default:
      return true
  }
}

const assetIdOf = (cloudName: string, number: number): string =>
  createHash('md5').update(`${cloudName} asset ${number}`).digest('hex')

export const isoOf = (time: number): string => new Date(Math.max(time, START)).toISOString()
