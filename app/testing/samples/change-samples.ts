import {
  type Body,
  identity,
  isoSeconds,
  kindlessIdentity,
  type SampleAsset,
  type SampleContext,
  sampleAsset,
  sampleAssets,
  stamp,
  type Variants
} from './sample-asset.ts'

/**
 * Assets that were changed, moved, renamed or deleted: mostly any number of them, in a list or in a map by
 * public id.
 */
export const CHANGES = {
  resource_tags_changed: {
    default: (context) => list(context, () => ({ added: ['autumn', 'sale'], removed: ['summer'] })),
    updated: (context) => list(context, () => ({ added: ['autumn'], removed: [], updated: ['sale'] }))
  },
  resource_context_changed: {
    objects: (context) =>
      map(context, () => ({
        added: { alt: 'A brown leather bag' },
        removed: { credit: 'Unknown' },
        updated: { caption: 'Autumn' }
      })),
    arrays: (context) =>
      map(context, () => ({
        added: [{ name: 'alt', value: 'A brown leather bag' }],
        removed: [{ name: 'credit', value: 'Unknown' }],
        updated: [{ name: 'caption', value: 'Autumn' }]
      })),
    names: (context) =>
      map(context, () => ({
        added: { alt: 'A brown leather bag' },
        removed: ['credit'],
        updated: { caption: 'Autumn' }
      }))
  },
  resource_metadata_changed: {
    default: (context) =>
      map(context, () => ({
        previous_metadata: { cms_id: 'cms-1000', colours: ['brown'] },
        new_metadata: { cms_id: 'cms-1001', colours: ['brown', 'black'] }
      })),
    // what `lastUpdateTimestamp` causes: only its field differs
    timestamp: (context) =>
      map(context, () => ({
        previous_metadata: { cms_id: 'cms-1001' },
        new_metadata: { cms_id: 'cms-1001', last_update_timestamp: isoSeconds(context.now) }
      }))
  },
  resource_display_name_changed: {
    default: (context) => ({
      ...map(context, (asset) => ({
        previous_display_name: asset.name,
        new_display_name: `${asset.name} (new)`,
        public_id: asset.publicId,
        asset_folder: asset.folder
      })),
      ...stamp(context)
    })
  },
  access_control_changed: {
    default: (context) =>
      list(context, () => ({
        previous_access_control: [],
        new_access_control: [{ access_type: 'token' }]
      }))
  },
  move: {
    'asset-folders': (context) =>
      map(context, (asset) => ({
        from_asset_folder: asset.folder,
        to_asset_folder: 'archive',
        display_name: asset.name
      })),
    folders: (context) => map(context, (asset) => ({ from_folder: asset.folder, to_folder: 'archive' }))
  },
  rename: {
    default: (context) => {
      const asset = sampleAsset(context)
      return {
        ...stamp(context),
        resource_type: asset.resourceType,
        type: 'upload',
        asset_id: asset.assetId,
        asset_folder: asset.folder,
        display_name: asset.name,
        ...newName(asset)
      }
    },
    'without-kind': (context) => {
      const asset = sampleAsset(context)
      return { asset_id: asset.assetId, ...newName(asset) }
    }
  },
  delete: {
    default: (context) => deletion(context, identity),
    'without-kind': (context) => deletion(context, kindlessIdentity),
    'by-public-id': (context) => deletion(context, ({ publicId }) => ({ public_id: publicId }))
  },
  delete_by_token: { default: (context) => deletion(context, identity) },
  // assumption: no delivery of this type has been captured yet
  publish: { default: (context) => list(context, (asset) => ({ version: asset.version })) }
} satisfies Record<string, Variants>

type Change = (asset: SampleAsset) => Body

function list(context: SampleContext, change: Change): Body {
  return {
    source: context.source,
    resources: sampleAssets(context).map((asset) => ({ ...identity(asset), ...change(asset) }))
  }
}

function map(context: SampleContext, change: Change): Body {
  const resources = sampleAssets(context).map((asset) => [
    asset.publicId,
    { ...change(asset), asset_id: asset.assetId, resource_type: asset.resourceType, type: 'upload' }
  ])
  return { source: context.source, resources: Object.fromEntries(resources) }
}

const newName = ({ publicId }: SampleAsset): Body => ({
  from_public_id: publicId,
  to_public_id: `${publicId}-renamed`
})

/** Deletions have neither a timestamp nor a request id. */
function deletion(context: SampleContext, nameOf: (asset: SampleAsset) => Body): Body {
  return {
    resources: sampleAssets(context).map((asset) => ({
      ...nameOf(asset),
      version: asset.version,
      asset_folder: asset.folder,
      display_name: asset.name
    }))
  }
}
