// unlike decodeURIComponent, it does not throw on a percent sign that encodes nothing
import { unescape as decode } from 'node:querystring'
import type { AssetName } from './asset-name.ts'

/** A signature in a delivery URL. It covers the transformation and the public id. */
const SIGNATURE = /^s--[\w-]+--$/

/** Components of a transformation have parameters such as `w_100`. Any other segment is a folder of the public id. */
const isOfTransformation = (segment: string) =>
  segment === '' || segment.includes('_') || SIGNATURE.test(segment)

/**
 * Returns the delivery URL of an asset after a rename or a new version: the same host, transformation and
 * format. Returns undefined for the URL of another asset, for another form of URL, and if the old signature
 * does not fit the new name.
 *
 * The host may be any, and the path may begin with anything: the shared CDN states the cloud there, a private
 * CDN and a custom host name leave it out, and a proxy may have a path of its own.
 *
 * Source: https://cloudinary.com/documentation/image_transformations#transformation_url_structure
 *
 * @param from the name in the URL
 * @param version replaces the version in the URL, if it has one
 */
export function renamedUrl(
  url: string,
  from: AssetName,
  to: AssetName,
  version: number | undefined
): string | undefined {
  const parsed = URL.parse(url)
  if (parsed?.protocol !== 'https:' && parsed?.protocol !== 'http:') return undefined
  if (from.deliveryType !== to.deliveryType) return undefined
  const segments = parsed.pathname.split('/').slice(1)
  const start = segments.findIndex(
    (segment, at) => segment === from.resourceType && segments[at + 1] === from.deliveryType
  )
  if (start < 0) return undefined
  const file = segments.slice(start + 2)
  const nameAt = file.length - from.publicId.split('/').length
  const format = formatOf(file.slice(Math.max(nameAt, 0)).map(decode).join('/'), from)
  if (format === undefined) return undefined
  const before = file.slice(0, nameAt)
  const stated = /^v\d+$/.test(before.at(-1) ?? '') ? before.at(-1) : undefined
  const current = stated && version !== undefined ? `v${version}` : stated
  const transformation = stated ? before.slice(0, -1) : before
  // otherwise this is the end of a longer public id, of another asset
  if (!transformation.every((segment) => isOfTransformation(decode(segment)))) return undefined
  const isRenamed = from.publicId !== to.publicId
  // the URL stays as the editor wrote it
  if (!isRenamed && current === stated) return url
  if (isRenamed && transformation.some((segment) => SIGNATURE.test(segment))) return undefined
  const name = isRenamed ? encoded(to.publicId) + format : file.slice(nameAt).join('/')
  const path = [...segments.slice(0, start + 2), ...transformation, ...(current ? [current] : []), name]
  return `${parsed.origin}/${path.join('/')}${parsed.search}${parsed.hash}`
}

/** Returns the extension; undefined if the file is not of this name. A raw asset's is part of its public id. */
function formatOf(file: string, { publicId, resourceType }: AssetName): string | undefined {
  if (file === publicId) return ''
  const format = file.startsWith(publicId) ? file.slice(publicId.length) : undefined
  return resourceType !== 'raw' && format && /^\.[^./]+$/.test(format) ? format : undefined
}

const encoded = (publicId: string): string => publicId.split('/').map(encodeURIComponent).join('/')
