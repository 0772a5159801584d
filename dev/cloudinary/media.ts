import { createHash } from 'node:crypto'

/** Properties that Cloudinary derives from a file. */
export interface Media {
  resourceType: string
  format?: string
  width?: number
  height?: number
  duration?: number
  bytes: number
  etag: string
}

/** A valid PNG image of one red pixel. */
export const TINY_PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==',
  'base64'
)

const PNG_MAGIC = TINY_PNG.subarray(0, 8)
const VIDEO_FORMATS = new Set(['mp4', 'mov', 'webm', 'mkv', 'avi', 'mp3', 'wav', 'm4a'])
const IMAGE_FORMATS = new Set(['png', 'jpg', 'jpeg', 'gif', 'webp', 'avif', 'svg', 'tiff', 'pdf', 'heic'])

/** Returns whether a file is a PNG image, by its first bytes. */
export const isPng = (bytes: Buffer): boolean => bytes.subarray(0, 8).equals(PNG_MAGIC)

/**
 * Derives the properties of a file without decoding it: the format from its name, the size only of a PNG.
 * Other images have 640×480 pixels, videos 640×360 and ten seconds.
 */
export function describeMedia(bytes: Buffer, filename: string, resourceType: string): Media {
  const png = isPng(bytes)
  const extension = png ? 'png' : /\.([a-z0-9]+)$/.exec(filename.toLowerCase())?.[1]
  const type = resourceType === 'auto' ? typeFor(extension) : resourceType
  const media = {
    resourceType: type,
    bytes: bytes.length,
    etag: createHash('md5').update(bytes).digest('hex')
  }
  if (type === 'video') return { ...media, format: extension ?? 'mp4', width: 640, height: 360, duration: 10 }
  if (type !== 'image') return media
  const [width, height] = png ? [bytes.readUInt32BE(16), bytes.readUInt32BE(20)] : [640, 480]
  return { ...media, format: extension ?? 'jpg', width, height }
}

function typeFor(extension = ''): string {
  if (VIDEO_FORMATS.has(extension)) return 'video'
  return IMAGE_FORMATS.has(extension) ? 'image' : 'raw'
}
