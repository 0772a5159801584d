import type { FastifyInstance, FastifyRequest } from 'fastify'
import { adminApi } from './admin-api.ts'
import { ApiError } from './api-error.ts'
import type { Tools } from './asset-editor.ts'
import { type Call, describeCall, isLost } from './calls.ts'
import type { Cloud } from './cloud.ts'
import type { Faults } from './faults.ts'
import { type Form, readForm } from './form.ts'
import type { Recorder } from './recorder.ts'
import type { SignatureAlgorithm } from './request-signature.ts'
import { uploadApi } from './upload-api.ts'

export interface ApiOptions {
  clouds: ReadonlyMap<string, Cloud>
  tools: Tools
  algorithm: SignatureAlgorithm
  faults: Faults
  calls: Recorder<Call>
  /** How many calls of the Admin API an hour has; without it 500 are told, and more are answered all the same. */
  adminCallsPerHour?: number | undefined
}

/** What is known of a call by the time it is carried out. */
export interface CallContext {
  cloud: Cloud
  form: Form
  call: Call
  /** The API key that was verified. */
  caller: string
}

declare module 'fastify' {
  interface FastifyRequest {
    standIn: CallContext
  }
}

/** The Upload and the Admin API of all clouds. */
export async function api(app: FastifyInstance, options: ApiOptions): Promise<void> {
  const { tools, algorithm, adminCallsPerHour } = options
  intercept(app, options)
  // Not `options` itself: it holds the prefix, which would count twice.
  await app.register(uploadApi, { tools, algorithm })
  await app.register(adminApi, { tools, adminCallsPerHour })
}

/** Records each call that comes to an API, and lets faults strike it, before it is served. */
export function intercept(app: FastifyInstance, { clouds, tools, faults, calls }: ApiOptions): void {
  const unanswered = new WeakMap<FastifyRequest, Call>()

  app.addHook('preHandler', async (request, reply) => {
    const form = await readForm(request)
    const call = describeCall(request, form, tools.clock())
    calls.add(call)
    unanswered.set(request, call)
    await faults.strike(call, request, reply)
    if (reply.sent) return calls.settle(call)
    const cloud = clouds.get(call.cloud)
    if (!cloud) throw new ApiError(401, `Invalid cloud_name ${call.cloud}`)
    request.standIn = { cloud, form, call, caller: '' }
  })

  app.setErrorHandler((error: Error & { status?: number; statusCode?: number }, _request, reply) => {
    const status = error.status ?? error.statusCode ?? 500
    reply.code(status).header('x-cld-error', error.message.replace(/[^ -~]/g, '?'))
    return { error: { message: error.message } }
  })

  app.addHook('onSend', async (request, reply, payload) => {
    const call = unanswered.get(request)
    if (!call) return payload
    let body = payload
    if (reply.statusCode < 400) {
      try {
        await faults.strike(call, request, reply, true)
      } catch (error) {
        reply.code((error as ApiError).status)
        body = JSON.stringify(error)
      }
    }
    if (!isLost(call)) call.status = reply.statusCode
    calls.settle(call)
    // A lost answer is held back here for ever: its connection is reset already, or hangs until the end.
    return isLost(call) ? new Promise(() => {}) : body
  })
}
