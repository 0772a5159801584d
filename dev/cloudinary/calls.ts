import type { FastifyRequest } from 'fastify'
import type { Form } from './form.ts'
import { listOf, textOf } from './values.ts'

/** A recorded API call and its response, without secrets and signatures. */
export interface Call {
  /** Unix time, milliseconds. */
  time: number
  method: string
  /** The last part of an Upload API path (`upload`, `tags`, …), the SDK's name for an Admin API call. */
  action: string
  cloud: string
  /** The API key that the caller sent, verified or not. */
  apiKey: string | null
  /** Null for calls that name no resource type. */
  resourceType: string | null
  publicIds: string[]
  params: Record<string, unknown>
  /** Status of the response; null before it, and after a hang or a reset. */
  status: number | null
  /** The injected fault. */
  fault: string | null
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Action of calls of this route. */
    action?: string
  }
}

/** Route options that name the action under which calls of the route are recorded. */
export const named = (action: string) => ({ config: { action } })

/** Returns whether a call is answered or lost. */
export function isOver(call: Call): boolean {
  return call.status !== null || isLost(call)
}

/** Returns whether a call will never be answered. */
export function isLost(call: Call): boolean {
  return call.fault === 'hang' || call.fault === 'reset'
}

const UNRECORDED = new Set(['signature', 'api_key', 'timestamp', 'file'])

/** Describes a call before its route runs. */
export function describeCall(request: FastifyRequest, form: Form, time: number): Call {
  const path = request.params as Record<string, string | undefined>
  const { values } = form
  const { body } = request
  const isJson = request.headers['content-type']?.startsWith('application/json')
  const given = isJson ? ((body ?? {}) as object) : values
  const named = [path['*'], textOf(values, 'public_id'), textOf(values, 'from_public_id')]
  return {
    time,
    method: request.method,
    action: request.routeOptions.config.action ?? 'unknown',
    cloud: String(path.cloud),
    apiKey: textOf(values, 'api_key') ?? basicCredentials(request)?.apiKey ?? null,
    resourceType: path.resource_type ?? null,
    publicIds: [...named.filter((name) => name !== undefined), ...listOf(values, 'public_ids')],
    params: Object.fromEntries(Object.entries(given).filter(([name]) => !UNRECORDED.has(name))),
    status: null,
    fault: null
  }
}

/** Returns the credentials of an Admin API call (HTTP basic authentication). */
export function basicCredentials(request: FastifyRequest): { apiKey: string; apiSecret: string } | undefined {
  const [, encoded] = /^Basic (.+)$/i.exec(request.headers.authorization ?? '') ?? []
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString()
  const colon = text.indexOf(':')
  return { apiKey: text.slice(0, colon), apiSecret: text.slice(colon + 1) }
}
