import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ApiError } from './api-error.ts'
import type { Tools } from './asset-editor.ts'
import { type Call, describeCall, isLost } from './calls.ts'
import type { Cloud } from './cloud.ts'
import type { Faults } from './faults.ts'
import { type Form, readForm } from './form.ts'
import type { Recorder } from './recorder.ts'
import type { SignatureAlgorithm } from './request-signature.ts'

export interface ApiOptions {
  clouds: ReadonlyMap<string, Cloud>
  tools: Tools
  algorithm: SignatureAlgorithm
  faults: Faults
  calls: Recorder<Call>
  /** Enforced limit of Admin API calls an hour. (Default: 500 are reported, none are refused) */
  adminCallsPerHour?: number | undefined
}

/** A call, for its route. */
export interface CallContext {
  cloud: Cloud
  form: Form
  call: Call
  /** The verified API key. */
  caller: string
}

declare module 'fastify' {
  interface FastifyRequest {
    standIn: CallContext
  }
}

/** Makes the server respond to errors with `{"error": {"message": …}}`. */
export function setErrorFormat(app: FastifyInstance): void {
  app.setErrorHandler((error: Error & { status?: number; statusCode?: number }, _request, reply) => {
    reply.code(error.status ?? error.statusCode ?? 500)
    reply.header('x-cld-error', error.message.replace(/[^ -~]/g, '?'))
    return { error: { message: error.message } }
  })
}

/** Records each call to an API, and injects faults, before the call is served. */
export function intercept(app: FastifyInstance, { clouds, tools, faults, calls }: ApiOptions): void {
  const unanswered = new WeakMap<FastifyRequest, Call>()
  setErrorFormat(app)

  app.addHook('preHandler', async (request, reply) => {
    const form = await readForm(request)
    const call = describeCall(request, form, tools.clock())
    calls.add(call)
    unanswered.set(request, call)
    await faults.inject(call, request, reply)
    if (reply.sent) return calls.settle(call)
    const cloud = clouds.get(call.cloud)
    if (!cloud) throw new ApiError(401, `Invalid cloud_name ${call.cloud}`)
    request.standIn = { cloud, form, call, caller: '' }
  })

  app.addHook('onSend', async (request, reply, payload) => {
    const call = unanswered.get(request)
    if (!call) return payload
    let body = payload
    if (reply.statusCode < 400) {
      try {
        await faults.inject(call, request, reply, true)
      } catch (error) {
        reply.code((error as ApiError).status)
        body = JSON.stringify(error)
      }
    }
    if (!isLost(call)) call.status = reply.statusCode
    calls.settle(call)
    // a lost response is never sent: its connection is already reset, or hangs until the server stops
    return isLost(call) ? new Promise(() => {}) : body
  })
}
