import { ApiError } from './api-error.ts'
import type { Asset } from './asset-store.ts'
import { deliveryUrls, lastUpdated, lastUpdateOf } from './asset-view.ts'
import type { Cloud } from './cloud.ts'
import { compileExpression } from './search-expression.ts'
import { isoOffset } from './times.ts'

export interface SearchQuery {
  expression?: string
  sort_by?: Record<string, 'asc' | 'desc'>[]
  with_field?: string | string[]
  max_results?: number | string
  next_cursor?: string
}

/** Where an asset stands in the sorted result: the values sorted by, then its asset ID, which no two share. */
type Place = (string | number | null)[]

const DEFAULT_RESULTS = 50
const MAX_RESULTS = 500

/**
 * The Search API. A cursor names a place in the order rather than a number of results, so that assets that
 * come or go between two pages push none of the others over the edge.
 * Source: https://cloudinary.com/documentation/search_api
 * @throws {ApiError} 400
 */
export function search(cloud: Cloud, query: SearchQuery, now: number): object {
  const limit = Number(query.max_results ?? DEFAULT_RESULTS)
  if (!(limit >= 1 && limit <= MAX_RESULTS)) {
    throw new ApiError(400, `Invalid value ${query.max_results} for parameter max_results`)
  }
  const matches = query.expression ? compileExpression(query.expression, now) : () => true
  const order = (query.sort_by ?? [{ created_at: 'desc' as const }]).flatMap((sort) => Object.entries(sort))
  const directions = order.map(([, direction]) => (direction === 'desc' ? -1 : 1))
  const placeOf = (asset: Asset): Place => [
    ...order.map(([field]) => sortable(fieldOf(asset, field))),
    asset.assetId
  ]
  const found = cloud
    .indexed(now)
    .filter((asset) => matches((field) => fieldOf(asset, field)))
    .map((asset) => ({ asset, place: placeOf(asset) }))
    .sort((a, b) => comparePlaces(a.place, b.place, directions))
  const start = query.next_cursor ? readCursor(query.next_cursor, order.length + 1) : undefined
  const rest = start ? found.filter(({ place }) => comparePlaces(place, start, directions) > 0) : found
  const page = rest.slice(0, limit)
  const last = page.at(-1)
  const withField = [query.with_field ?? []].flat()
  return {
    total_count: found.length,
    time: 1,
    ...(last && rest.length > limit && { next_cursor: writeCursor(last.place) }),
    resources: page.map(({ asset }) => resultOf(asset, cloud, withField))
  }
}

/** A field as expressions and `sort_by` name it; undefined for one the asset has not. Times are Dates. */
function fieldOf(asset: Asset, name: string): unknown {
  const [family, key] = splitOnce(name)
  if (key !== undefined) {
    if (family === 'metadata') return asset.metadata[key]
    if (family === 'context') return asset.context[key]
    if (family !== 'last_updated') return undefined
    const time = lastUpdateOf(asset, key)
    return time === undefined ? undefined : new Date(time)
  }
  const fields: Record<string, unknown> = {
    asset_id: asset.assetId,
    public_id: asset.publicId,
    resource_type: asset.resourceType,
    type: asset.type,
    format: asset.format,
    bytes: asset.bytes,
    width: asset.width,
    height: asset.height,
    duration: asset.duration,
    etag: asset.etag,
    tags: asset.tags,
    asset_folder: asset.assetFolder,
    display_name: asset.displayName,
    created_at: new Date(asset.createdAt),
    uploaded_at: new Date(asset.uploadedAt)
  }
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}

function resultOf(asset: Asset, cloud: Cloud, withField: string[]): object {
  return {
    asset_id: asset.assetId,
    public_id: asset.publicId,
    asset_folder: asset.assetFolder,
    display_name: asset.displayName,
    format: asset.format,
    version: asset.version,
    resource_type: asset.resourceType,
    type: asset.type,
    created_at: isoOffset(asset.createdAt),
    uploaded_at: isoOffset(asset.uploadedAt),
    bytes: asset.bytes,
    width: asset.width,
    height: asset.height,
    ...deliveryUrls(asset, cloud),
    status: 'active',
    access_mode: 'public',
    etag: asset.etag,
    created_by: { access_key: asset.uploadedBy },
    uploaded_by: { access_key: asset.uploadedBy },
    last_updated: lastUpdated(asset, isoOffset),
    ...(withField.includes('tags') && { tags: asset.tags }),
    ...(withField.includes('context') && { context: asset.context }),
    ...(withField.includes('metadata') && { metadata: asset.metadata })
  }
}

function splitOnce(name: string): [string, string | undefined] {
  const dot = name.indexOf('.')
  return dot < 0 ? [name, undefined] : [name.slice(0, dot), name.slice(dot + 1)]
}

function sortable(value: unknown): string | number | null {
  if (value instanceof Date) return value.getTime()
  return typeof value === 'number' || typeof value === 'string' ? value : null
}

/** Assets without a value come last, whichever the direction. The asset ID always ascends. */
function comparePlaces(a: Place, b: Place, directions: number[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index] as Place[number]
    if (left === right) continue
    if (left === null) return 1
    if (right === null) return -1
    return (left < right ? -1 : 1) * (directions[index] ?? 1)
  }
  return 0
}

function writeCursor(place: Place): string {
  return Buffer.from(JSON.stringify(place)).toString('hex')
}

function readCursor(cursor: string, length: number): Place {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'hex').toString())
    if (Array.isArray(place) && place.length === length) return place
  } catch {
    // Not one of ours.
  }
  throw new ApiError(400, 'Invalid value for parameter next_cursor')
}
