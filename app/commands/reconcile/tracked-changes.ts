import type { FoundAsset } from '../../cloudinary/search.ts'

type Fields = Record<string, unknown>

/** One of the things about an asset whose changes Cloudinary notes the time of, and notifies. */
export interface Side {
  /** The notification, and so the event, that its change makes. */
  type: 'upload' | 'resource_tags_changed' | 'resource_metadata_changed' | 'resource_context_changed'
  /** What the Search API calls the time of its last change. */
  field: string
  /** When it last changed, as the search wrote it; undefined where it never did. */
  changedAt: (asset: FoundAsset) => string | undefined
  /** What is known of the change: how the asset was when it was found, in the form of the notification. */
  describe: (asset: FoundAsset) => Fields
}

/** What each search asks for: the sides of an asset are decided together, whichever side it was found by. */
export const WITH_FIELD = ['tags', 'context', 'metadata'] as const

const identityOf = ({ asset_id, public_id, resource_type, type }: FoundAsset): Fields => ({
  asset_id,
  public_id,
  resource_type,
  type
})

/** Notifications have under `custom` what the Search API has bare; should it not, it is left as it is. */
const contextOf = ({ context = {} }: FoundAsset): Fields =>
  'custom' in context && typeof context.custom === 'object' ? context : { custom: context }

/**
 * What a pass looks for. A rename, a move or a moderation leaves no time of its own that says what it was, and a deletion
 * leaves nothing.
 */
export const SIDES: readonly Side[] = [
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
