import type { FastifyReply, FastifyRequest } from 'fastify'

/** A fault of the next calls of a stand-in. */
export interface CmsFault {
  /** Action that fails, such as `update entry`. (Default: any) */
  action?: string
  /** Number of calls. (Default: 1) */
  count?: number
  /** `hang` never answers, `reset` closes the connection. */
  kind?: 'hang' | 'reset'
  /** Status of the response. */
  status?: number
  headers?: Record<string, string>
  /** Runs before the call is served, such as an edit of somebody else. */
  run?: () => void
}

/** Faults of a CMS stand-in, and its calls. */
export class CmsFaults {
  /** The actions so far, oldest first. */
  readonly calls: string[] = []
  #faults: CmsFault[] = []

  add(fault: CmsFault): void {
    this.#faults.push({ count: 1, ...fault })
  }

  /** Records a call and injects a fault. Returns the status to answer with, if any. */
  async inject(action: string, request: FastifyRequest, reply: FastifyReply): Promise<number | undefined> {
    this.calls.push(action)
    const fault = this.#faults.find(({ action: wanted = action }) => wanted === action)
    if (!fault) return undefined
    fault.count! -= 1
    if (fault.count === 0) this.#faults = this.#faults.filter((other) => other !== fault)
    fault.run?.()
    if (fault.kind) reply.hijack()
    if (fault.kind === 'reset') request.raw.socket.resetAndDestroy()
    if (fault.headers) reply.headers(fault.headers)
    return fault.status
  }
}
