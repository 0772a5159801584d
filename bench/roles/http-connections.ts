import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/**
 * A kept-alive HTTP/1.1 connection that sends prepared requests, one at a time. Reads only the status of a
 * response and where it ends, so that the load generator takes little CPU from what it measures.
 */
class HttpConnection {
  readonly #socket: Socket
  #text = ''
  #waiting: PromiseWithResolvers<number> | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#read(chunk.toString('latin1')))
    socket.on('error', (error) => this.#waiting?.reject(error))
    socket.on('close', () => this.#waiting?.reject(new Error('the server closed a connection')))
  }

  /** False after the server has closed the connection, as it may do when it refuses a request. */
  get isOpen(): boolean {
    return this.#socket.writable
  }

  /** Resolves with the status of the response. */
  send(request: Buffer): Promise<number> {
    this.#waiting = Promise.withResolvers()
    this.#socket.write(request)
    return this.#waiting.promise
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(text: string): void {
    this.#text += text
    const head = this.#text.indexOf('\r\n\r\n')
    if (head < 0 || !this.#isComplete(head)) return
    const status = Number(this.#text.slice(9, 12))
    this.#text = ''
    this.#waiting?.resolve(status)
    this.#waiting = undefined
  }

  #isComplete(head: number): boolean {
    const length = /content-length: (\d+)/i.exec(this.#text.slice(0, head))?.[1]
    if (length !== undefined) return this.#text.length >= head + 4 + Number(length)
    return this.#text.endsWith('0\r\n\r\n')
  }
}

/** Connections to one server. A request takes a free one, or opens one. */
export class HttpConnections {
  readonly #url: URL
  readonly #maximum: number
  readonly #free: HttpConnection[] = []
  readonly #all: HttpConnection[] = []
  readonly #waiting: ((connection: HttpConnection) => void)[] = []

  constructor(url: string, maximum: number) {
    this.#url = new URL(url)
    this.#maximum = maximum
  }

  /** Returns whether the response is 200. */
  async send(request: Buffer): Promise<boolean> {
    const connection = await this.#take()
    const status = await connection.send(request)
    const next = this.#waiting.shift()
    if (next) next(connection.isOpen ? connection : await this.#open())
    else this.#free.push(connection)
    return status === 200
  }

  async open(count: number): Promise<void> {
    this.#free.push(...(await Promise.all(Array.from({ length: count }, () => this.#open()))))
  }

  close(): void {
    for (const connection of this.#all) connection.close()
  }

  async #take(): Promise<HttpConnection> {
    const free = this.#free.pop()
    if (free) return free.isOpen ? free : this.#open()
    if (this.#all.length < this.#maximum) return this.#open()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  async #open(): Promise<HttpConnection> {
    const socket = connect(Number(this.#url.port), this.#url.hostname)
    const connection = new HttpConnection(socket)
    this.#all.push(connection)
    await once(socket, 'connect')
    return connection
  }
}
