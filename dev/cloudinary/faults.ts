import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { ApiError, rateLimited } from './api-error.ts'
import type { Call } from './calls.ts'

export type FaultKind =
  | { kind: 'latency'; ms: number }
  /** `until` is the end of the limit, which the SDK reports only in its message. */
  | { kind: 'rate_limit'; until: Date | string; status?: 420 | 429 }
  | { kind: 'status'; status: number; message?: string }
  /** The call is never answered. */
  | { kind: 'hang' }
  /** The connection is reset. */
  | { kind: 'reset' }

export interface FaultScope {
  /** Maximum number of calls. (Default: all, until cleared) */
  count?: number
  /** Action of the call: `upload`, `tags`, `metadata`, `explicit`, `search`, … */
  action?: string
  /** A public ID in the call. */
  publicId?: string
  when?: (call: Call) => boolean
  /** Inject after the call took effect, so that only its response is lost. */
  after?: boolean
}

export type Fault = FaultKind & FaultScope

/** Parses a fault from JSON or a form. @throws {ApiError} 400 */
export function parseFault(given: Record<string, unknown>): Fault {
  const fault = { ...given, after: given.after === true || given.after === 'true' } as Fault
  const invalid = (name: string, value: unknown): never => {
    throw new ApiError(400, `Invalid value ${value} for parameter ${name}`)
  }
  const number = (name: string, least: number): void => {
    const value = Number(given[name])
    if (!(value >= least)) invalid(name, given[name])
    Object.assign(fault, { [name]: value })
  }
  if (given.count !== undefined) number('count', 1)
  switch (fault.kind) {
    case 'latency':
      number('ms', 0)
      return fault
    case 'status':
      number('status', 400)
      return fault
    case 'rate_limit':
      if (given.status !== undefined) number('status', 400)
      return Number.isNaN(+new Date(fault.until)) ? invalid('until', given.until) : fault
    case 'hang':
    case 'reset':
      return fault
    default:
      return invalid('kind', given.kind)
  }
}

/** Injects faults into API calls, but not into deliveries. */
export class Faults {
  #faults: Fault[] = []
  readonly #released = new AbortController()

  /** The first matching fault applies; latency applies in addition. */
  add(fault: Fault): void {
    this.#faults.push({ ...fault })
  }

  clear(): void {
    this.#faults = []
  }

  /** Ends all delays; the delayed calls stay unanswered. */
  stop(): void {
    this.#released.abort()
  }

  /**
   * Injects a matching fault. Afterwards, `reply.sent` is true if the call is over.
   * @throws {ApiError} for a fault that is an error response
   */
  async inject(call: Call, request: FastifyRequest, reply: FastifyReply, after = false): Promise<void> {
    const delay = this.#take(call, after, true)
    if (delay?.kind === 'latency') {
      call.fault = delay.kind
      const waited = sleep(delay.ms, undefined, { signal: this.#released.signal })
      const isOver = await waited.then(
        () => true,
        () => false
      )
      if (!isOver) return void reply.hijack()
    }
    const fault = this.#take(call, after, false)
    if (!fault) return
    call.fault = fault.kind
    switch (fault.kind) {
      case 'rate_limit':
        throw rateLimited(500, +new Date(fault.until), fault.status)
      case 'status':
        throw new ApiError(fault.status, fault.message ?? 'General Error')
      case 'hang':
        reply.hijack()
        return
      case 'reset':
        reply.hijack()
        request.raw.socket.resetAndDestroy()
    }
  }

  #take(call: Call, after: boolean, latency: boolean): Fault | undefined {
    const index = this.#faults.findIndex(
      (fault) =>
        (fault.kind === 'latency') === latency &&
        (fault.after ?? false) === after &&
        (fault.action === undefined || fault.action === call.action) &&
        (fault.publicId === undefined || call.publicIds.includes(fault.publicId)) &&
        (fault.when === undefined || fault.when(call))
    )
    const fault = this.#faults[index]
    if (fault?.count !== undefined) {
      fault.count -= 1
      if (fault.count <= 0) this.#faults.splice(index, 1)
    }
    return fault
  }
}
