import {
  addresses,
  type Body,
  hex,
  identity,
  isoSeconds,
  type ResourceType,
  type SampleContext,
  sampleAsset,
  stamp,
  type Variants
} from './sample-asset.ts'

const DAY_MS = 24 * 60 * 60 * 1000

/** Assets in full, at the top level of the body. */
export const UPLOADS = {
  upload: {
    image: (context) => upload(context),
    video: (context) => upload(context, 'video'),
    raw: (context) => upload(context, 'raw'),
    moderation: (context) => ({
      ...upload(context),
      moderation: [{ kind: 'manual', status: 'pending' }]
    }),
    info: (context) => ({
      ...upload(context),
      info: {
        categorization: {
          google_tagging: {
            status: 'complete',
            data: [
              { tag: 'Bag', confidence: 0.9614 },
              { tag: 'Leather', confidence: 0.9027 }
            ]
          }
        }
      }
    }),
    metadata: (context) => ({
      ...upload(context),
      tags: ['bags', 'autumn'],
      context: { custom: { alt: 'A brown leather bag', caption: 'Autumn' } },
      metadata: { cms_id: 'cms-1001', colours: ['brown', 'black'] }
    }),
    // uploading the same bytes again does not change the asset, nor its version
    existing: (context) => ({
      ...upload({ ...context, now: new Date(context.now.getTime() - DAY_MS) }),
      ...stamp(context),
      existing: true
    })
  },
  restore_asset_version: {
    default: (context) => upload(context)
  },
  generate_archive: {
    default: (context) => {
      const asset = { ...sampleAsset(context, 'raw'), format: 'zip' }
      return {
        ...stamp(context),
        ...identity(asset),
        version: asset.version,
        version_id: asset.versionId,
        created_at: isoSeconds(context.now),
        tags: [],
        bytes: 1_829_540,
        etag: asset.etag,
        ...addresses(context, asset),
        resource_count: 12,
        file_count: 12
      }
    }
  }
} satisfies Record<string, Variants>

function upload(context: SampleContext, resourceType = context.resourceType ?? 'image'): Body {
  const asset = sampleAsset(context, resourceType)
  const playlist = addresses(context, asset, { transformation: 'sp_auto', format: 'm3u8' })
  return {
    ...stamp(context),
    asset_id: asset.assetId,
    public_id: asset.publicId,
    version: asset.version,
    version_id: asset.versionId,
    ...dimensions(resourceType),
    // the extension of a raw asset is part of its public id
    ...(resourceType === 'raw' ? {} : { format: asset.format }),
    resource_type: resourceType,
    created_at: isoSeconds(context.now),
    tags: [],
    bytes: 120_000 + (Number.parseInt(hex(asset.publicId, 6), 16) % 900_000),
    type: 'upload',
    etag: asset.etag,
    placeholder: false,
    ...addresses(context, asset),
    asset_folder: asset.folder,
    display_name: asset.name,
    original_filename: asset.name,
    ...(resourceType === 'video' ? { ...VIDEO, playback_url: playlist.secure_url } : {}),
    api_key: context.apiKey
  }
}

function dimensions(resourceType: ResourceType): Body {
  if (resourceType === 'raw') return {}
  return resourceType === 'video' ? { width: 1920, height: 1080 } : { width: 1279, height: 853 }
}

const VIDEO = {
  pages: 0,
  audio: { codec: 'aac', bit_rate: '128013', frequency: 44100, channels: 2, channel_layout: 'stereo' },
  video: { pix_format: 'yuv420p', codec: 'h264', level: 40, profile: 'High', bit_rate: '5301234' },
  is_audio: false,
  frame_rate: 29.97,
  bit_rate: 5_435_120,
  duration: 13.4134,
  rotation: 0,
  nb_frames: 402
}
