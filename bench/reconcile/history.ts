import { foundEventId } from '../../app/ingest/event-identity.ts'

/**
 * The history of a cloud, computed instead of stored. Half of the events are uploads, half are tag changes.
 */
export interface History {
  /** Events per second. */
  rate: number
  /** Start of the feed and of the assets, Unix time in milliseconds. */
  start: number
  /** End of both, Unix time in milliseconds. */
  end: number
  /** One in this number of tag changes is lost. */
  lostEvery: number
}

/** Number of later uploads after which an asset is tagged. */
const TAGGED_AFTER = 2000

export const ENVIRONMENT = 'demo'

/** Returns the number of the first asset that was uploaded, or tagged, at a time or later. */
export const firstAsset = ({ rate, start }: History, field: 'upload' | 'tags', time: number): number => {
  const uploads = Math.ceil(((time - start) / 1000) * (rate / 2))
  return Math.max(0, field === 'upload' ? uploads : uploads - TAGGED_AFTER)
}

export const timeOf = ({ rate, start }: History, field: 'upload' | 'tags', asset: number): number =>
  start + Math.round(((asset + (field === 'upload' ? 0 : TAGGED_AFTER)) * 2000) / rate)

export const isLost = ({ lostEvery }: History, asset: number): boolean => asset % lostEvery === 0

export const assetIdOf = (asset: number): string => asset.toString(16).padStart(32, '0')

/** Returns an asset as the Search API does. */
export function foundAsset(history: History, asset: number): object {
  const [uploaded, tagged] = [timeOf(history, 'upload', asset), timeOf(history, 'tags', asset)].map(
    isoSeconds
  )
  return {
    asset_id: assetIdOf(asset),
    public_id: `products/summer/asset-${asset}`,
    asset_folder: 'products/summer',
    format: 'jpg',
    version: Math.floor(timeOf(history, 'upload', asset) / 1000),
    resource_type: 'image',
    type: 'upload',
    created_at: uploaded,
    uploaded_at: uploaded,
    bytes: 123_456,
    width: 1920,
    height: 1080,
    etag: assetIdOf(asset),
    secure_url: `https://res.cloudinary.com/${ENVIRONMENT}/image/upload/products/summer/asset-${asset}.jpg`,
    uploaded_by: { access_key: '111' },
    last_updated: tagged! < isoSeconds(history.end) ? { tags_updated_at: tagged } : {},
    tags: ['summer', 'sale', 'Hello World!'],
    metadata: { cms_id: `article-${asset}` },
    context: { alt: 'A bag on a bench' }
  }
}

/** Returns an item of the feed in the JSON of DynamoDB. */
export function feedItem(history: History, field: 'upload' | 'tags', asset: number): Record<string, object> {
  const at = new Date(timeOf(history, field, asset)).toISOString()
  const record = {
    M: { outcome: { S: 'succeeded' }, at: { S: at }, milliseconds: { N: '180' }, note: { S: 'done' } }
  }
  return {
    type: { S: field === 'upload' ? 'upload' : 'resource_tags_changed' },
    environment: { S: ENVIRONMENT },
    asset: {
      M: {
        assetId: { S: assetIdOf(asset) },
        publicId: { S: `products/summer/asset-${asset}` },
        resourceType: { S: 'image' },
        deliveryType: { S: 'upload' }
      }
    },
    origin: { M: { source: { S: 'api' }, id: { S: '111' }, own: { BOOL: false } } },
    occurredAt: { S: at },
    receivedAt: { S: at },
    startedAt: { S: at },
    finishedAt: { S: at },
    status: { S: 'done' },
    processors: { M: { 'hello-world-tag': record, 'last-update-timestamp': record } }
  }
}

/** Returns the event ids of the lost changes from a time on, which the journal does not have. */
export function lostIds(history: History, from: number): Set<string> {
  const ids = new Set<string>()
  const end = firstAsset(history, 'tags', history.end)
  for (let asset = firstAsset(history, 'tags', from); asset < end; asset++) {
    if (!isLost(history, asset)) continue
    const changedAt = new Date(timeOf(history, 'tags', asset)).toISOString()
    ids.add(
      foundEventId(ENVIRONMENT, 'resource_tags_changed', assetIdOf(asset), `${changedAt.slice(0, 19)}.000Z`)
    )
  }
  return ids
}

export const isoSeconds = (time: number) => `${new Date(time).toISOString().slice(0, 19)}Z`
