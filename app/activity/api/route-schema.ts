import type { FastifySchema } from 'fastify'
import { z } from 'zod'
import { ErrorSchema } from './event-schemas.ts'

interface RouteDescription {
  summary: string
  description?: string
  params?: z.ZodType
  querystring?: z.ZodType
  body?: z.ZodType
  /** Responses by status code; a string describes a response that is not JSON. */
  answers: Readonly<Record<number, z.ZodType | string>>
  /** Status codes of errors. */
  errors?: readonly number[]
  /** A read token is also accepted. */
  forTokens?: boolean
}

declare module 'fastify' {
  interface FastifySchema {
    summary?: string
    description?: string
    security?: readonly Record<string, readonly string[]>[]
    hide?: boolean
  }
}

/** Returns the JSON schema of a request (`input`) or a response (`output`). */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return json
}

/** Describes a route for the OpenAPI document. The routes validate with the zod schemas. */
export function routeSchema(description: RouteDescription): FastifySchema {
  const {
    summary,
    description: text,
    params,
    querystring,
    body,
    answers,
    errors = [],
    forTokens
  } = description
  const responses = {
    ...Object.fromEntries(
      Object.entries(answers).map(([status, answer]) => [
        status,
        typeof answer === 'string' ? { type: 'string', description: answer } : jsonSchema(answer, 'output')
      ])
    ),
    ...Object.fromEntries([401, ...errors].map((status) => [status, jsonSchema(ErrorSchema, 'output')]))
  }
  return {
    summary,
    ...(text && { description: text }),
    ...(params && { params: jsonSchema(params, 'input') }),
    ...(querystring && { querystring: jsonSchema(querystring, 'input') }),
    ...(body && { body: jsonSchema(body, 'input') }),
    response: responses,
    security: [{ password: [] }, ...(forTokens ? [{ token: [] }] : [])]
  }
}
