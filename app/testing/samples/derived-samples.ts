import { addresses, hex, type SampleContext, sampleAsset, stamp, type Variants } from './sample-asset.ts'

/**
 * Files derived from an asset. `eager` does not state the kind of the asset, as observed in real deliveries.
 */
export const DERIVED = {
  eager: {
    image: (context) =>
      eager(context, 'image', [
        {
          transformation: 'c_fill,g_auto,h_400,w_400',
          width: 400,
          height: 400,
          bytes: 31_402,
          format: 'jpg'
        },
        { transformation: 'c_limit,w_1200', width: 1200, height: 800, bytes: 148_112, format: 'jpg' }
      ]),
    video: (context) =>
      eager(context, 'video', [
        { transformation: 'c_limit,q_auto,w_640/mp4', width: 640, height: 360, bytes: 905_371, format: 'mp4' }
      ]),
    hls: (context) =>
      eager(context, 'video', [
        { transformation: 'sp_full_hd/m3u8', bytes: 1007, format: 'm3u8' },
        { transformation: 'q_auto/mp4', width: 1280, height: 720, bytes: 8_807_563, format: 'mp4' }
      ]),
    failed: (context) => ({
      ...eager(context, 'video', []),
      eager: [
        {
          transformation: 'sp_full_hd/m3u8',
          status: 'failed',
          reason:
            'Video is too large to process synchronously, please use an eager transformation with eager_async=true'
        }
      ]
    })
  },
  explode: {
    default: (context) => {
      const asset = sampleAsset(context, 'image')
      return {
        ...stamp(context),
        pages: 3,
        image_infos: [1, 2, 3].map((page) => ({
          bytes: 40_000 + page * 1_111,
          ...addresses(context, asset, { transformation: `pg_${page}` })
        })),
        batch_id: batchId(context),
        asset_id: asset.assetId,
        public_id: asset.publicId
      }
    }
  },
  multi: {
    default: (context) => {
      const asset = sampleAsset(context, 'image')
      return {
        ...stamp(context),
        ...addresses(context, asset, { format: 'gif', action: 'multi' }),
        asset_id: asset.assetId,
        public_id: asset.publicId,
        version: asset.version
      }
    }
  },
  sprite: {
    default: (context) => {
      const asset = sampleAsset(context, 'image')
      const css = addresses(context, asset, { format: 'css', action: 'sprite' })
      const json = addresses(context, asset, { format: 'json', action: 'sprite' })
      const image = addresses(context, asset, { format: 'png', action: 'sprite' })
      return {
        ...stamp(context),
        css_url: css.url,
        secure_css_url: css.secure_url,
        json_url: json.url,
        image_url: image.url,
        secure_image_url: image.secure_url,
        image_infos: {
          bag: { width: 100, height: 100, x: 0, y: 0 },
          shoe: { width: 100, height: 100, x: 0, y: 100 }
        },
        asset_id: asset.assetId,
        public_id: asset.publicId,
        version: asset.version
      }
    }
  }
} satisfies Record<string, Variants>

interface Derivation {
  transformation: string
  format: string
  bytes: number
  width?: number
  height?: number
}

function eager(context: SampleContext, resourceType: 'image' | 'video', derivations: Derivation[]) {
  const asset = sampleAsset(context, resourceType)
  return {
    ...stamp(context),
    eager: derivations.map((derivation) => ({
      ...derivation,
      // the part after the slash is the format, which a URL has as its extension
      ...addresses(context, asset, {
        transformation: derivation.transformation.split('/')[0],
        format: derivation.format
      })
    })),
    batch_id: batchId(context),
    asset_id: asset.assetId,
    public_id: asset.publicId,
    api_key: context.apiKey
  }
}

function batchId(context: SampleContext): string {
  return hex(`batch ${context.publicId} ${context.now.getTime()}`, 96)
}
