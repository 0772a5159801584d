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

/** Position of an asset in the sorted result: the sort values, then its unique asset ID. */
type Position = (string | number | null)[]

const DEFAULT_RESULTS = 50
const MAX_RESULTS = 500

/**
 * Runs a query of the Search API. A cursor is a position in the sort order, not an offset, so pages neither
 * skip nor repeat assets when others are added or deleted in between.
 *
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
  const positionOf = (asset: Asset): Position => [
    ...order.map(([field]) => sortable(fieldOf(asset, field))),
    asset.assetId
  ]
  const found = cloud
    .indexed(now)
    .filter((asset) => matches((field) => fieldOf(asset, field)))
    .map((asset) => ({ asset, position: positionOf(asset) }))
    .sort((a, b) => comparePositions(a.position, b.position, directions))
  const start = query.next_cursor ? readCursor(query.next_cursor, order.length + 1) : undefined
  const rest = start
    ? found.filter(({ position }) => comparePositions(position, start, directions) > 0)
    : found
  const page = rest.slice(0, limit)
  const last = page.at(-1)
  const withField = [query.with_field ?? []].flat()
  return {
    total_count: found.length,
    time: 1,
    ...(last && rest.length > limit && { next_cursor: writeCursor(last.position) }),
    resources: page.map(({ asset }) => resultOf(asset, cloud, withField))
  }
}

/**
 * Returns a field by its name in expressions and `sort_by`; undefined if the asset has none. Times are Dates.
 */
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

/** Sorts assets without a value last in either direction. The asset ID always ascends. */
function comparePositions(a: Position, b: Position, directions: number[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index] as Position[number]
    if (left === right) continue
    if (left === null) return 1
    if (right === null) return -1
    return (left < right ? -1 : 1) * (directions[index] ?? 1)
  }
  return 0
}

function writeCursor(position: Position): string {
  return Buffer.from(JSON.stringify(position)).toString('hex')
}

function readCursor(cursor: string, length: number): Position {
  try {
    const position: unknown = JSON.parse(Buffer.from(cursor, 'hex').toString())
    if (Array.isArray(position) && position.length === length) return position
  } catch {
    // not a cursor of this API
  }
  throw new ApiError(400, 'Invalid value for parameter next_cursor')
}
