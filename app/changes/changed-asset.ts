import type { FoundAsset } from '../cloudinary/search.ts'

/** A changed asset, with Cloudinary's field names. Fields that Cloudinary omits are omitted. */
export interface ChangedAsset {
  asset_id: string
  public_id: string
  resource_type: string
  type: string
  /** The stamp in ISO 8601, UTC, for every field type. */
  changed_at: string
  /** Structured metadata, the stamp included. */
  metadata: Record<string, unknown>
  tags?: string[]
  context?: Record<string, unknown>
  version?: number
  format?: string
  asset_folder?: string
  display_name?: string
  bytes?: number
  width?: number
  height?: number
  secure_url?: string
  created_at: string
  uploaded_at?: string
  /** Times of the last change of tags, metadata, context and others, as in the index. */
  last_updated?: Record<string, string>
}

const FIELDS = [
  'metadata',
  'tags',
  'context',
  'version',
  'format',
  'asset_folder',
  'display_name',
  'bytes',
  'width',
  'height',
  'secure_url',
  'created_at',
  'uploaded_at',
  'last_updated'
] as const

/** Fields that a search returns only on request. */
export const WITH_FIELDS = ['metadata', 'tags', 'context'] as const

/** @param changedAt milliseconds since the epoch */
export function describeChange(asset: FoundAsset, changedAt: number): ChangedAsset {
  const { asset_id, public_id, resource_type, type } = asset
  const present = FIELDS.filter((name) => asset[name] !== undefined && asset[name] !== null)
  return {
    asset_id,
    public_id,
    resource_type,
    type,
    changed_at: new Date(changedAt).toISOString(),
    ...(Object.fromEntries(present.map((name) => [name, asset[name]])) as Pick<
      ChangedAsset,
      'metadata' | 'created_at'
    >)
  }
}

/** Serializes an asset with sorted keys, so that the same state gives the same text. */
export function textOf(asset: ChangedAsset): string {
  return JSON.stringify(asset, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value
  )
}
