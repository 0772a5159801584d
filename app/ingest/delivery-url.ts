/** Distinguishes assets with the same public id. */
export interface AssetKind {
  /** `image`, `video` or `raw`. */
  resourceType: string
  /** `upload`, `private`, `authenticated`, … */
  deliveryType: string
}

const RESOURCE_TYPES = ['image', 'video', 'raw']

/** Source: https://cloudinary.com/documentation/image_transformations#delivery_types */
const DELIVERY_TYPES = [
  'upload',
  'private',
  'authenticated',
  'fetch',
  'list',
  'multi',
  'sprite',
  'text',
  'asset',
  'animoto',
  'dailymotion',
  'facebook',
  'gravatar',
  'hulu',
  'twitter',
  'twitter_name',
  'vimeo',
  'worldstarhiphop',
  'youtube'
]

/**
 * Reads the kind of an asset from its delivery URL:
 * `https://HOST/[CLOUD/]RESOURCE_TYPE/DELIVERY_TYPE/[SIGNATURE/][TRANSFORMATION/][vVERSION/]PUBLIC_ID[.FORMAT]`.
 * Private CDNs and custom host names leave out the cloud. Returns undefined for other URLs and for the URL of
 * another asset.
 *
 * Source: https://cloudinary.com/documentation/image_transformations#transformation_url_structure
 */
export function kindInDeliveryUrl(url: unknown, publicId: string): AssetKind | undefined {
  const parsed = typeof url === 'string' ? URL.parse(url) : null
  if (parsed?.protocol !== 'https:' && parsed?.protocol !== 'http:') return undefined
  const [, ...segments] = parsed.pathname.split('/')
  // unambiguous even if a cloud has such a name: no name is both a resource type and a delivery type
  for (const start of [0, 1]) {
    const [resourceType = '', deliveryType = '', ...rest] = segments.slice(start)
    if (!RESOURCE_TYPES.includes(resourceType) || !DELIVERY_TYPES.includes(deliveryType)) continue
    return isPathOf(rest.join('/'), publicId, resourceType) ? { resourceType, deliveryType } : undefined
  }
  return undefined
}

/** The extension is part of the public id of a raw asset, and the format of other assets. */
function isPathOf(path: string, publicId: string, resourceType: string): boolean {
  const file = `/${decode(path)}`
  const withoutFormat = resourceType === 'raw' ? file : file.replace(/\.[^./]+$/, '')
  return [file, withoutFormat].some((name) => name.endsWith(`/${publicId}`))
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
