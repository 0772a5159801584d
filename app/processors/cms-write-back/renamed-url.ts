// unlike decodeURIComponent, it does not throw on a percent sign that encodes nothing
import { unescape as decode } from 'node:querystring'
import type { AssetName } from './asset-name.ts'

/** A signature in a delivery URL. It covers the transformation and the public id. */
const SIGNATURE = /^s--[\w-]+--$/

/**
 * Returns the delivery URL of an asset after a rename or a new version: the same host, transformation and
 * format. Returns undefined for the URL of another asset, for another form of URL, and if the old signature
 * does not fit the new name.
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
  if (parsed === null) return undefined
  const segments = parsed.pathname.split('/').slice(1)
  // private CDNs and custom host names leave out the cloud
  const start = [0, 1].find(
    (at) => segments[at] === from.resourceType && segments[at + 1] === from.deliveryType
  )
  if (start === undefined || from.deliveryType !== to.deliveryType) return undefined
  const file = segments.slice(start + 2)
  const nameAt = file.length - from.publicId.split('/').length
  const format = formatOf(file.slice(Math.max(nameAt, 0)).map(decode).join('/'), from)
  if (format === undefined) return undefined
  const before = file.slice(0, nameAt)
  const isVersioned = /^v\d+$/.test(before.at(-1) ?? '')
  const transformation = isVersioned ? before.slice(0, -1) : before
  const isRenamed = from.publicId !== to.publicId
  if (isRenamed && transformation.some((segment) => SIGNATURE.test(segment))) return undefined
  const versions = isVersioned ? [version === undefined ? before.at(-1)! : `v${version}`] : []
  const name = isRenamed ? encoded(to.publicId) + format : file.slice(nameAt).join('/')
  const path = [...segments.slice(0, start + 2), ...transformation, ...versions, name].join('/')
  return `${parsed.origin}/${path}${parsed.search}`
}

/** Returns the extension; undefined if the file is not of this name. A raw asset's is part of its public id. */
function formatOf(file: string, { publicId, resourceType }: AssetName): string | undefined {
  if (file === publicId) return ''
  const format = file.startsWith(publicId) ? file.slice(publicId.length) : undefined
  return resourceType !== 'raw' && format && /^\.[^./]+$/.test(format) ? format : undefined
}

const encoded = (publicId: string): string => publicId.split('/').map(encodeURIComponent).join('/')
