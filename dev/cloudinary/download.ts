import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Asset } from './assets.ts'
import { ApiError } from './errors.ts'

/**
 * Answers with the content of a raw asset, or with the part of it that a `Range` header asks for (206, or 416 where the
 * file ends before it). Of images and videos no content is kept.
 *
 * @throws {ApiError} 404
 */
export function sendContent(request: FastifyRequest, reply: FastifyReply, asset: Asset | undefined): Buffer {
  const content = asset?.content
  if (!content) throw new ApiError(404, 'Resource not found')
  reply.type('application/octet-stream').header('accept-ranges', 'bytes')
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

/** The first and the last byte that are asked for; undefined where it is not a single range. */
function rangeOf(header: string | undefined, length: number): [from: number, to: number] | undefined {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? []
  if (from !== '') return [Number(from), Math.min(length - 1, to === '' ? length - 1 : Number(to))]
  return to === '' ? undefined : [Math.max(0, length - Number(to)), length - 1]
}
