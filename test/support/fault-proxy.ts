import { once } from 'node:events'
import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

/** How the proxy treats calls from now on. */
export type ProxyFault =
  | { kind: 'pass' }
  /** Refuses connections, and closes open ones. */
  | { kind: 'refuse' }
  /** Forwards calls late, even if the caller has given up. */
  | { kind: 'slow'; ms: number; only?: readonly string[] }
  /** Answers with this status without forwarding. (Default body: an error in JSON) */
  | { kind: 'error'; status: number; body?: string; only?: readonly string[] }
  /** Never answers. */
  | { kind: 'hang'; only?: readonly string[] }

export interface FaultProxyOptions {
  /** Address of the service: `http://HOST:PORT`. */
  target: string
  /** Rewrites the body of a call; `operation` is AWS's name, such as `SendMessageBatch`. */
  rewrite?: (operation: string, body: string) => string
}

/** HTTP proxy in front of an AWS service that injects faults. */
export class FaultProxy {
  /** Number of calls by fault. Refused connections are not counted, because their calls do not arrive. */
  readonly counts: Record<ProxyFault['kind'], number> = { pass: 0, refuse: 0, slow: 0, error: 0, hang: 0 }
  readonly #options: FaultProxyOptions
  readonly #server: Server
  readonly #agent = new Agent({ keepAlive: true })
  #fault: ProxyFault = { kind: 'pass' }
  #port = 0
  #stopped = false

  constructor(options: FaultProxyOptions) {
    this.#options = options
    this.#server = createServer((incoming, response) => {
      this.#answer(incoming, response).catch(() => response.destroy())
    })
  }

  /** The proxy's address, which never changes. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Sets the fault; resolves when it is in effect. */
  async set(fault: ProxyFault): Promise<void> {
    this.#fault = fault
    if (fault.kind !== 'refuse') return this.#listen()
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.set({ kind: 'refuse' })
    this.#agent.destroy()
  }

  async #listen(): Promise<void> {
    if (this.#stopped || this.#server.listening) return
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const operation = String(incoming.headers['x-amz-target'] ?? '').replace(/^.*\./, '')
    const body = await buffer(incoming)
    const fault = this.#striking(operation)
    this.counts[fault.kind]++
    switch (fault.kind) {
      case 'hang':
      case 'refuse':
        return
      case 'error':
        response.writeHead(fault.status, { 'content-type': 'application/x-amz-json-1.0' })
        response.end(fault.body ?? JSON.stringify({ __type: 'InternalFailure', message: 'injected fault' }))
        return
      case 'slow':
        await sleep(fault.ms)
    }
    const { rewrite } = this.#options
    this.#forward(incoming, rewrite ? Buffer.from(rewrite(operation, body.toString())) : body, response)
  }

  #striking(operation: string): ProxyFault {
    const fault = this.#fault
    return 'only' in fault && fault.only?.includes(operation) === false ? { kind: 'pass' } : fault
  }

  #forward({ method, url, headers }: IncomingMessage, body: Buffer, response: ServerResponse): void {
    const call = request(new URL(url ?? '/', this.#options.target), {
      method,
      headers: { ...headers, 'content-length': body.length },
      agent: this.#agent
    })
    call.once('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    call.once('error', () => response.destroy())
    call.end(body)
  }
}

/** Starts a proxy without a fault. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const proxy = new FaultProxy(options)
  await proxy.set({ kind: 'pass' })
  return proxy
}
