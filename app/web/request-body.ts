import type { Readable } from 'node:stream'
import { ListenerError } from '../errors.ts'

export interface BodyOptions {
  /** Bytes that are reserved for it. */
  expectedBytes: number
  /** A slower sender is cut off, in milliseconds. */
  withinMs: number
}

/** What Fastify answers with its status. */
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
 * Reads a body into one buffer. Fastify's own parser keeps each chunk until the end, and then copies them: a sender that puts
 * each byte into a chunk of its own makes it hold a hundred times the body.
 *
 * @throws BODY_TOO_LARGE, BODY_TOO_SLOW, or BODY_INCOMPLETE when the sender is gone
 */
export function readBody(payload: Readable, { expectedBytes, withinMs }: BodyOptions): Promise<Buffer> {
  // not from the pool, and not filled: the kernel gives it memory as bytes are written to it
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
    () => reject(new BodyError('BODY_TOO_SLOW', 408, `the body did not come in within ${withinMs} ms`)),
    withinMs
  )
  payload.on('data', onData).once('end', onEnd).once('error', onGone).once('close', onGone)
  return promise.finally(() => {
    clearTimeout(timer)
    payload.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone)
    // what still comes is dropped; an error without a listener would end the process
    payload.on('error', () => {}).resume()
  })
}
