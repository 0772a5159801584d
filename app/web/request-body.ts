import type { Readable } from 'node:stream'
import { ListenerError } from '../errors.ts'

export interface BodyOptions {
  /** Maximum size of the body. */
  expectedBytes: number
  /** Time-out, in milliseconds. */
  withinMs: number
}

/** Fastify responds with its status code. */
class BodyError extends ListenerError {
  readonly statusCode: number

  constructor(code: string, statusCode: number, message: string, options?: ErrorOptions) {
    super(code, message, options)
    this.statusCode = statusCode
  }
}

export const bodyTooLarge = (limitBytes: number) =>
  new BodyError('BODY_TOO_LARGE', 413, `the body is larger than ${limitBytes} bytes`)

/**
 * Reads a body into one buffer. Fastify's own parser keeps all chunks until the end: with one byte per chunk
 * they take a hundred times the size of the body.
 *
 * @throws BODY_TOO_LARGE, BODY_TOO_SLOW, or BODY_INCOMPLETE if the sender disconnects
 */
export function readBody(payload: Readable, { expectedBytes, withinMs }: BodyOptions): Promise<Buffer> {
  // unpooled and unfilled: the kernel allocates memory only as bytes are written
  const body = Buffer.allocUnsafeSlow(expectedBytes)
  let received = 0
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const onData = (chunk: Buffer) => {
    if (received + chunk.length > expectedBytes) return reject(bodyTooLarge(expectedBytes))
    received += chunk.copy(body, received)
  }
  const onEnd = () => resolve(body.subarray(0, received))
  const onGone = (cause?: Error) =>
    reject(new BodyError('BODY_INCOMPLETE', 400, `the body ended after ${received} bytes`, { cause }))
  const timer = setTimeout(
    () => reject(new BodyError('BODY_TOO_SLOW', 408, `the body was not received within ${withinMs} ms`)),
    withinMs
  )
  payload.on('data', onData).once('end', onEnd).once('error', onGone).once('close', onGone)
  return promise.finally(() => {
    clearTimeout(timer)
    payload.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone)
    // drop the rest; an error event without a listener would end the process
    payload.on('error', () => {}).resume()
  })
}
