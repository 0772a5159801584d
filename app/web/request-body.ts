import type { Readable } from 'node:stream'
import { ListenerError } from '../errors.ts'

export interface BodyOptions {
  /** Maximum size of the body. */
  expectedBytes: number
  /** Time-out, in milliseconds. */
  withinMs: number
}

/** Error of a body. Fastify responds with its status code. */
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
  // unfilled: the kernel allocates the memory of a large body only as bytes are written
  const body = Buffer.allocUnsafe(expectedBytes)
  let received = 0
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const stop = () => {
    clearTimeout(timer)
    payload.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone)
  }
  const fail = (error: BodyError) => {
    stop()
    // drop the rest; an error event without a listener would end the process
    payload.on('error', () => {}).resume()
    reject(error)
  }
  const onData = (chunk: Buffer) => {
    if (received + chunk.length > expectedBytes) return fail(bodyTooLarge(expectedBytes))
    received += chunk.copy(body, received)
  }
  const onEnd = () => {
    stop()
    resolve(body.subarray(0, received))
  }
  const onGone = (cause?: Error) =>
    fail(new BodyError('BODY_INCOMPLETE', 400, `the body ended after ${received} bytes`, { cause }))
  const timer = setTimeout(
    () => fail(new BodyError('BODY_TOO_SLOW', 408, `the body was not received within ${withinMs} ms`)),
    withinMs
  )
  payload.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone)
  return promise
}
