import type { CloudinaryEnvironment } from '../credentials/cloudinary-url.ts'
import type { Asset } from '../ingest/event.ts'
import type { CloudinarySdk } from './sdk.ts'

export interface DeliveryOptions {
  /** The transformation as in a URL, such as `c_fill,w_150`. */
  transformation: string
  /** The format, such as `jpg`. An image format of a video gives a frame. */
  format: string
  /**
   * Any delivery URL of the cloud, such as the `secure_url` of a notification: only such a URL shows a
   * private CDN or a custom host name. (Default: the shared host, `res.cloudinary.com`)
   */
  like?: unknown
}

/**
 * Delivery types whose derived assets can be built from a public id. Source:
 * https://cloudinary.com/documentation/image_transformations#delivery_types
 */
const DELIVERY_TYPES = ['upload', 'private', 'authenticated']

/**
 * Returns the URL of a derived image, signed unless the asset is public. Undefined if the asset is not an
 * image or a video, or its kind is not stated. Makes no call.
 */
export function assetUrl(
  sdk: CloudinarySdk,
  { cloudName, apiSecret, signatureAlgorithm = 'sha1' }: CloudinaryEnvironment,
  { publicId, resourceType, deliveryType = '', version }: Asset,
  { transformation, format, like }: DeliveryOptions
): string | undefined {
  if (publicId === undefined || !DELIVERY_TYPES.includes(deliveryType)) return undefined
  if (resourceType !== 'image' && resourceType !== 'video') return undefined
  try {
    return sdk.url(publicId, {
      ...hostOf(like, cloudName),
      cloud_name: cloudName,
      api_secret: apiSecret,
      signature_algorithm: signatureAlgorithm,
      sign_url: deliveryType !== 'upload',
      auth_token: false,
      resource_type: resourceType,
      type: deliveryType,
      raw_transformation: transformation,
      format,
      analytics: false,
      ...(version !== undefined && { version })
    } as Parameters<CloudinarySdk['url']>[1])
  } catch {
    // the SDK decodes the public id, which fails for some public ids with a percent sign
    return undefined
  }
}

function hostOf(like: unknown, cloudName: string) {
  const url = typeof like === 'string' ? URL.parse(like) : null
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') return { secure: true }
  const private_cdn = !url.pathname.startsWith(`/${cloudName}/`)
  return url.protocol === 'https:'
    ? { secure: true, secure_distribution: url.host, private_cdn }
    : { secure: false, cname: url.host, private_cdn }
}
