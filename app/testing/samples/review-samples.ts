import {
  addresses,
  type Body,
  hex,
  identity,
  isoSeconds,
  kindlessIdentity,
  type SampleContext,
  sampleAsset,
  sampleAssets,
  stamp,
  type Variants
} from './sample-asset.ts'

/** Reviews of an asset by a person or an add-on. */
export const REVIEWS = {
  moderation: {
    approved: (context) => moderation(context, 'approved'),
    rejected: (context) => moderation(context, 'rejected'),
    // observed in deliveries of 2020, not in those of 2022
    'without-asset-id': (context) => {
      const { asset_id, ...body } = moderation(context, 'rejected')
      return body
    }
  },
  moderation_summary: {
    default: (context) => ({
      ...reviewed(context),
      moderation_status: 'approved',
      moderation: [
        { kind: 'aws_rek', status: 'approved', updated_at: isoSeconds(context.now) },
        { kind: 'manual', status: 'approved', updated_at: isoSeconds(context.now) }
      ]
    })
  },
  info: {
    default: (context) => ({
      ...reviewed(context),
      info_kind: 'google_speech',
      info_status: 'complete',
      info_data: { transcript: 'A brown leather bag' }
    })
  },
  proof_status_changed: {
    default: (context) => ({
      ...stamp(context),
      proof_id: hex(`proof ${context.publicId}`, 32),
      proof_name: 'Autumn catalogue',
      previous_status: 'in_review',
      new_status: 'approved',
      stage_name: 'Legal',
      stage_number: 2,
      reviewer: { id: hex('reviewer', 32), name: 'Sam Reviewer' },
      assets: sampleAssets(context).map(identity)
    })
  }
} satisfies Record<string, Variants>

function moderation(context: SampleContext, status: 'approved' | 'rejected'): Body {
  const labels = status === 'approved' ? [] : [{ confidence: 94.99, name: 'Suggestive', parent_name: '' }]
  return {
    ...reviewed(context),
    moderation_response: { moderation_labels: labels },
    moderation_status: status,
    moderation_kind: 'aws_rek',
    moderation_updated_at: isoSeconds(context.now)
  }
}

/** No observed delivery states the kind of the asset; its URLs do. */
function reviewed(context: SampleContext): Body {
  const asset = sampleAsset(context)
  return {
    ...kindlessIdentity(asset),
    uploaded_at: isoSeconds(context.now),
    version: asset.version,
    ...addresses(context, asset),
    etag: asset.etag
  }
}
