import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { ApiError, rateLimited } from './api-error.ts'
import type { Call } from './calls.ts'

export type FaultKind =
  | { kind: 'latency'; ms: number }
  /** `until` is when the limit ends; its message is all that the SDK hands on. */
  | { kind: 'rate_limit'; until: Date | string; status?: 420 | 429 }
  | { kind: 'status'; status: number; message?: string }
  /** The call is taken and never answered, until the stand-in is stopped. */
  | { kind: 'hang' }
  /** The connection is reset. */
  | { kind: 'reset' }

export interface FaultScope {
  /** How many calls it strikes; default all, until cleared. */
  count?: number
  /** `upload`, `tags`, `metadata`, `explicit`, `search`, …: the call's action. */
  action?: string
  /** A public ID that the call is about. */
  publicId?: string
  when?: (call: Call) => boolean
  /** Strike once the call has taken effect, so that only its answer is lost. */
  after?: boolean
}

export type Fault = FaultKind & FaultScope

/** Reads a fault that came over HTTP, as JSON or as a form. @throws {ApiError} 400 */
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

/** What goes wrong with API calls, on demand. Deliveries are never touched. */
export class Faults {
  #faults: Fault[] = []
  readonly #released = new AbortController()

  /** Later faults strike only what earlier ones let pass; latency adds to whatever else strikes. */
  add(fault: Fault): void {
    this.#faults.push({ ...fault })
  }

  clear(): void {
    this.#faults = []
  }

  /** Lets go of calls that wait; they stay unanswered. */
  stop(): void {
    this.#released.abort()
  }

  /**
   * Does to a call what was asked for. After it, `reply.sent` tells whether the call is over.
   * @throws {ApiError} the answer, where the fault is one
   */
  async inject(call: Call, request: FastifyRequest, reply: FastifyReply, after = false): Promise<void> {
    const delay = this.#take(call, after, true)
    if (delay?.kind === 'latency') {
      call.fault = delay.kind
      const waited = sleep(delay.ms, undefined, { signal: this.#released.signal })
      if (
        !(await waited.then(
          () => true,
          () => false
        ))
      )
        return void reply.hijack()
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
