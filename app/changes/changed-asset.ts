import type { FoundAsset } from '../cloudinary/search.ts'

/** What is told of an asset that changed, with Cloudinary's own names; what Cloudinary leaves out is left out. */
export interface ChangedAsset {
  asset_id: string
  public_id: string
  resource_type: string
  type: string
  /** The stamp, whatever its form in the field: ISO 8601, UTC. */
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
  /** When its sides last changed, in the index. */
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

/** What is asked for beside what every search gives. */
export const WITH_FIELDS = ['metadata', 'tags', 'context'] as const

/** @param changedAt milliseconds since the epoch */
export function describeChange(asset: FoundAsset, changedAt: number): ChangedAsset {
  const { asset_id, public_id, resource_type, type } = asset
  const known = FIELDS.filter((name) => asset[name] !== undefined && asset[name] !== null)
  return {
    asset_id,
    public_id,
    resource_type,
    type,
    changed_at: new Date(changedAt).toISOString(),
    ...(Object.fromEntries(known.map((name) => [name, asset[name]])) as Pick<
      ChangedAsset,
      'metadata' | 'created_at'
    >)
  }
}

/** The same text for the same state, in whatever order Cloudinary names its parts. */
export function textOf(asset: ChangedAsset): string {
  return JSON.stringify(asset, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value
  )
}
