import { contextOf, type FoundAsset } from '../../cloudinary/search.ts'

type Fields = Record<string, unknown>

/**
 * A kind of change that `reconcile` can find, because Cloudinary stores the time of the last one in the
 * asset.
 */
export interface ChangeKind {
  /** The type of its notification and event. */
  type: 'upload' | 'resource_tags_changed' | 'resource_metadata_changed' | 'resource_context_changed'
  /** The field of the Search API with the time of the last change. */
  field: string
  /** Returns the time of the last change in the format of the search, or undefined if there was none. */
  changedAt: (asset: FoundAsset) => string | undefined
  /** Returns the body that a notification of the change would have. */
  describe: (asset: FoundAsset) => Fields
}

/** Fields that every search asks for, since all changes of an asset are decided together. */
export const WITH_FIELD = ['tags', 'context', 'metadata'] as const

const identityOf = ({ asset_id, public_id, resource_type, type }: FoundAsset): Fields => ({
  asset_id,
  public_id,
  resource_type,
  type
})

/**
 * The kinds of changes that a pass searches for. Cloudinary stores no time of renames, moves and moderations,
 * and the search index does not contain deleted assets.
 */
export const CHANGE_KINDS: readonly ChangeKind[] = [
  {
    type: 'upload',
    field: 'uploaded_at',
    changedAt: ({ uploaded_at }) => uploaded_at,
    describe(asset) {
      const { uploaded_at: _, last_updated: __, context, ...shared } = asset
      return { ...shared, ...(context && Object.keys(context).length > 0 && { context: contextOf(asset) }) }
    }
  },
  {
    type: 'resource_tags_changed',
    field: 'last_updated.tags_updated_at',
    changedAt: ({ last_updated }) => last_updated?.tags_updated_at,
    describe: (asset) => ({ ...identityOf(asset), tags: asset.tags ?? [] })
  },
  {
    type: 'resource_metadata_changed',
    field: 'last_updated.metadata_updated_at',
    changedAt: ({ last_updated }) => last_updated?.metadata_updated_at,
    describe: (asset) => ({ ...identityOf(asset), new_metadata: asset.metadata ?? {} })
  },
  {
    type: 'resource_context_changed',
    field: 'last_updated.context_updated_at',
    changedAt: ({ last_updated }) => last_updated?.context_updated_at,
    describe: (asset) => ({ ...identityOf(asset), context: contextOf(asset) })
  }
]
