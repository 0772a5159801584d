import type { FoundAsset } from '../../../../app/cloudinary/search.ts'
import { CHANGE_KINDS, type ChangeKind } from '../../../../app/commands/reconcile/change-kinds.ts'
import type { EventContext } from '../../../../app/commands/reconcile/found-changes.ts'
import { LOCAL_CLOUDINARY } from '../../../../app/testing/defaults.ts'

/** The time of the pass. */
export const FOUND_AT = Date.parse('2026-06-01T13:00:00.000Z')

export const EVENT_CONTEXT: EventContext = {
  environment: LOCAL_CLOUDINARY.cloudName,
  ownKey: LOCAL_CLOUDINARY.apiKey,
  isOwnKey: (apiKey) => apiKey === LOCAL_CLOUDINARY.apiKey,
  receivedAt: new Date(FOUND_AT)
}

export const kindOf = (type: ChangeKind['type']): ChangeKind =>
  CHANGE_KINDS.find((kind) => kind.type === type)!

export const UPLOAD = kindOf('upload')
export const TAGS = kindOf('resource_tags_changed')
export const METADATA = kindOf('resource_metadata_changed')
export const CONTEXT = kindOf('resource_context_changed')

/** An asset that was uploaded at noon, then tagged, then given metadata, then context, a minute apart. */
export const found = (about: Partial<FoundAsset> = {}): FoundAsset => ({
  asset_id: 'bag-id',
  public_id: 'bag',
  resource_type: 'image',
  type: 'upload',
  version: 1_780_315_200,
  created_at: '2026-06-01T12:00:00+00:00',
  uploaded_at: '2026-06-01T12:00:00+00:00',
  last_updated: {
    updated_at: '2026-06-01T12:03:00+00:00',
    tags_updated_at: '2026-06-01T12:01:00+00:00',
    metadata_updated_at: '2026-06-01T12:02:00+00:00',
    context_updated_at: '2026-06-01T12:03:00+00:00'
  },
  tags: ['leather'],
  metadata: { cms_id: '7' },
  context: { alt: 'a bag' },
  ...about
})
