import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface RawClientOptions {
  port: number
  /** A server that is waited for longer hangs, in milliseconds. */
  deadlineMs?: number
}

const DEADLINE_MS = 15_000

/** One connection over which any bytes can be sent, HTTP or not. */
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
    // who refuses may close while we still write: here a reset is an answer like any other
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

  /** The status of each final answer so far, in order (1xx are not final); NaN for what is not HTTP. */
  get statuses(): readonly number[] {
    return this.#statuses
  }

  get closed(): boolean {
    return this.#closed
  }

  write(bytes: Buffer | string): void {
    if (!this.#closed) this.#socket.write(bytes)
  }

  /** Resolves once so many final answers have come, or the server has closed the connection. */
  answers(count: number): Promise<void> {
    return this.#until(() => this.#closed || this.#statuses.length >= count)
  }

  /** Says that nothing more will be sent, and resolves when the server has closed the connection as well. */
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
      () => reject(new Error(`the server hangs; it has answered [${this.#statuses}]`)),
      this.#deadlineMs
    )
    this.#onProgress = () => {
      if (done()) resolve()
    }
    this.#onProgress()
    await promise.finally(() => clearTimeout(timer))
  }

  /** Takes one whole answer off what was received; false where there is none. */
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
 * Sends these bytes on a connection of their own, waits for so many answers, hangs up, and resolves with the status
 * of every answer that came before the server closed the connection.
 *
 * @param answers default 1; 0 hangs up at once after sending
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
  /** Each is written as it is, on a line of its own. */
  headers?: readonly HeaderLine[]
  body?: Buffer | string
}

/** A request as bytes, with nothing added and nothing checked; a character of the head is one byte (latin1). */
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
