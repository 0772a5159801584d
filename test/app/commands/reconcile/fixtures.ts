import type { FoundAsset } from '../../../../app/cloudinary/search.ts'
import type { FindingContext } from '../../../../app/commands/reconcile/found-events.ts'
import { SIDES, type Side } from '../../../../app/commands/reconcile/tracked-changes.ts'
import { LOCAL_CLOUDINARY } from '../../../../app/testing/defaults.ts'

/** When the asset was found. */
export const FOUND_AT = Date.parse('2026-06-01T13:00:00.000Z')

export const CONTEXT: FindingContext = {
  environment: LOCAL_CLOUDINARY.cloudName,
  ownKey: LOCAL_CLOUDINARY.apiKey,
  isOwnKey: (apiKey) => apiKey === LOCAL_CLOUDINARY.apiKey,
  receivedAt: new Date(FOUND_AT)
}

export const sideOf = (type: Side['type']): Side => SIDES.find((side) => side.type === type)!

export const UPLOAD = sideOf('upload')
export const TAGS = sideOf('resource_tags_changed')
export const METADATA = sideOf('resource_metadata_changed')
export const CHANGES_OF_CONTEXT = sideOf('resource_context_changed')

/** An asset that was uploaded at noon, and whose sides changed each a minute after the other. */
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
