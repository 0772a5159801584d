import type { FastifyReply, FastifyRequest } from 'fastify'
import { ApiError } from './api-error.ts'
import type { Asset } from './asset-store.ts'
import { isPng } from './media.ts'

/** Content types by extension. None of them can run scripts. */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  avif: 'image/avif',
  csv: 'text/csv; charset=utf-8',
  gif: 'image/gif',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  json: 'application/json; charset=utf-8',
  mov: 'video/quicktime',
  mp4: 'video/mp4',
  pdf: 'application/pdf',
  png: 'image/png',
  txt: 'text/plain; charset=utf-8',
  vtt: 'text/vtt; charset=utf-8',
  webm: 'video/webm',
  webp: 'image/webp'
}

/**
 * Answers with the uploaded content of an asset, or with the range of a `Range` header (206, or 416 for a
 * range beyond the end).
 *
 * @throws {ApiError} 404
 */
export function sendContent(request: FastifyRequest, reply: FastifyReply, asset: Asset | undefined): Buffer {
  if (!asset) throw new ApiError(404, 'Resource not found')
  const { content } = asset
  reply
    .type(contentTypeOf(asset))
    .header('accept-ranges', 'bytes')
    .header('x-content-type-options', 'nosniff')
  const range = rangeOf(request.headers.range, content.length)
  if (!range) return content
  const [from, to] = range
  if (from > to) {
    reply.code(416).header('content-range', `bytes */${content.length}`)
    return Buffer.alloc(0)
  }
  reply.code(206).header('content-range', `bytes ${from}-${to}/${content.length}`)
  return content.subarray(from, to + 1)
}

/** Returns the first and last byte of a single range; undefined for anything else. */
function rangeOf(header: string | undefined, length: number): [from: number, to: number] | undefined {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? []
  if (from !== '') return [Number(from), Math.min(length - 1, to === '' ? length - 1 : Number(to))]
  return to === '' ? undefined : [Math.max(0, length - Number(to)), length - 1]
}

function contentTypeOf({ content, publicId, format }: Asset): string {
  // an upload without a file is a PNG image, whatever its declared type
  const extension = isPng(content) ? 'png' : (format ?? publicId.slice(publicId.lastIndexOf('.') + 1))
  return CONTENT_TYPES[extension.toLowerCase()] ?? 'application/octet-stream'
}
