import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface RawClientOptions {
  port: number
  /** Maximum time to wait for the server, in milliseconds. */
  deadlineMs?: number
}

const DEADLINE_MS = 15_000

/** A connection that sends any bytes, HTTP or not. */
export class RawConnection {
  readonly #socket: Socket
  readonly #deadlineMs: number
  #received = Buffer.alloc(0)
  readonly #statuses: number[] = []
  #closed = false
  #onProgress = () => {}

  private constructor(socket: Socket, deadlineMs: number) {
    this.#socket = socket
    this.#deadlineMs = deadlineMs
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk])
      while (this.#readAnswer());
      this.#onProgress()
    })
    // the server may close the connection while we still write
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#closed = true
      this.#onProgress()
    })
  }

  static async open({ port, deadlineMs = DEADLINE_MS }: RawClientOptions): Promise<RawConnection> {
    const socket = connect({ port, host: '127.0.0.1' })
    await once(socket, 'connect')
    return new RawConnection(socket, deadlineMs)
  }

  /** Statuses of the final responses so far (without 1xx), in order; NaN for a response that is not HTTP. */
  get statuses(): readonly number[] {
    return this.#statuses
  }

  get closed(): boolean {
    return this.#closed
  }

  write(bytes: Buffer | string): void {
    if (!this.#closed) this.#socket.write(bytes)
  }

  /** Resolves after this number of final responses, or when the server closes the connection. */
  answers(count: number): Promise<void> {
    return this.#until(() => this.#closed || this.#statuses.length >= count)
  }

  /** Ends our side, and resolves when the server has closed the connection. */
  async hangUp(): Promise<void> {
    this.#socket.end()
    await this.#until(() => this.#closed)
  }

  destroy(): void {
    this.#socket.destroy()
  }

  async #until(done: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(
      () => reject(new Error(`the server hangs; responses so far: [${this.#statuses}]`)),
      this.#deadlineMs
    )
    this.#onProgress = () => {
      if (done()) resolve()
    }
    this.#onProgress()
    await promise.finally(() => clearTimeout(timer))
  }

  /** Consumes one complete response from the received bytes. Returns false if there is none. */
  #readAnswer(): boolean {
    const headEnd = this.#received.indexOf('\r\n\r\n')
    if (headEnd < 0) return false
    const head = this.#received.toString('latin1', 0, headEnd)
    const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0)
    const chunked = /^transfer-encoding: chunked$/im.test(head)
    const bodyStart = headEnd + 4
    const lastChunk = this.#received.indexOf('0\r\n\r\n', bodyStart)
    if (chunked && lastChunk < 0) return false
    const end = chunked ? lastChunk + 5 : bodyStart + length
    if (this.#received.length < end) return false
    this.#received = this.#received.subarray(end)
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? Number.NaN)
    if (!(status >= 100 && status < 200)) this.#statuses.push(status)
    return true
  }
}

/**
 * Sends bytes on a new connection, waits for responses, ends our side, and resolves with the statuses of all
 * responses.
 *
 * @param answers number of responses to wait for. (Default: 1) 0 ends our side right after sending
 * @throws when the server neither answers nor closes before the deadline
 */
export async function exchange(
  bytes: Buffer | string,
  { answers = 1, ...options }: RawClientOptions & { answers?: number }
): Promise<readonly number[]> {
  const connection = await RawConnection.open(options)
  try {
    connection.write(bytes)
    await connection.answers(answers)
    await connection.hangUp()
    return connection.statuses
  } finally {
    connection.destroy()
  }
}

export type HeaderLine = readonly [name: string, value: string]

export interface RawRequest {
  method?: string
  target?: string
  version?: string
  /** Each is written unchanged on its own line. */
  headers?: readonly HeaderLine[]
  body?: Buffer | string
}

/** Builds a request as bytes, unchecked and without added headers; the head is encoded as latin1. */
export function rawRequest({
  method = 'POST',
  target = '/webhooks/cloudinary',
  version = 'HTTP/1.1',
  headers = [],
  body = ''
}: RawRequest): Buffer {
  const lines = [`${method} ${target} ${version}`, ...headers.map(([name, value]) => `${name}: ${value}`)]
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(body)])
}
