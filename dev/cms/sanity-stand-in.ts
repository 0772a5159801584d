import { randomBytes } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { CmsFaults } from './cms-faults.ts'
import { evaluate } from './groq.ts'

/** A document, as the API returns it. */
export type SanityDocument = { _id: string; _type: string; _rev: string } & Record<string, unknown>

interface Mutation {
  patch?: { id: string; ifRevisionID?: string; set?: Record<string, unknown>; unset?: string[] }
  createIfNotExists?: { _id: string; _type: string } & Record<string, unknown>
}

class SanityError extends Error {
  readonly status: number
  readonly body: object

  constructor(status: number, body: object) {
    super(`${status}`)
    this.status = status
    this.body = body
  }
}

/**
 * A dataset of Sanity: documents with revisions, and the part of the HTTP API that `cmsWriteBack` uses.
 *
 * Source: https://www.sanity.io/docs/http-reference/mutation
 */
export class SanityStandIn {
  readonly faults = new CmsFaults()
  readonly #documents = new Map<string, SanityDocument>()
  /** Documents before the last write by the API. */
  readonly #before = new Map<string, SanityDocument>()
  readonly #token: string

  constructor({ token }: { token: string }) {
    this.#token = token
  }

  /** Creates or replaces a document, or a draft (`drafts.ID`), as an editor. */
  put(document: { _id: string; _type: string } & Record<string, unknown>): SanityDocument {
    const stored = { ...structuredClone(document), _rev: randomBytes(11).toString('hex') } as SanityDocument
    this.#documents.set(document._id, stored)
    return stored
  }

  document(id: string): SanityDocument | undefined {
    return this.#documents.get(id)
  }

  delete(id: string): void {
    this.#documents.delete(id)
  }

  /** The documents, with their content before the last write by the API. */
  view(): object[] {
    return [...this.#documents.values()].map((document) => ({
      ...document,
      ...(this.#before.has(document._id) && { before: this.#before.get(document._id) })
    }))
  }

  /** The API, as a plugin. */
  readonly api = async (app: FastifyInstance): Promise<void> => {
    app.setErrorHandler((error: Partial<SanityError>, _request, reply) => {
      reply.code(error.status ?? 500)
      return error.body ?? { statusCode: 500, error: 'Internal Server Error', message: error.message }
    })
    const serve = <Querystring = unknown>(
      method: 'GET' | 'POST',
      path: string,
      action: string,
      answer: (request: FastifyRequest<{ Params: { id: string }; Querystring: Querystring }>) => unknown
    ) =>
      app.route<{ Params: { id: string }; Querystring: Querystring }>({
        method,
        url: `/:version/data${path}`,
        handler: async (request, reply) => {
          await this.#admit(action, request, reply)
          return reply.sent ? reply : answer(request as never)
        }
      })
    serve<Record<string, string>>('GET', '/query/:dataset', 'search', ({ query }) => {
      const params = Object.entries(query).filter(([name]) => name.startsWith('$'))
      return this.#query(
        query.query!,
        Object.fromEntries(params.map(([name, json]) => [name.slice(1), JSON.parse(json)]))
      )
    })
    serve('GET', '/doc/:dataset/:id', 'read document', ({ params }) => ({
      documents: [this.#documents.get(params.id)].filter(Boolean)
    }))
    serve('POST', '/mutate/:dataset', 'mutate', ({ body }) => {
      const { mutations } = body as { mutations: Mutation[] }
      return {
        transactionId: randomBytes(8).toString('hex'),
        results: mutations.map((one) => this.#mutate(one))
      }
    })
  }

  async #admit(action: string, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const status = await this.faults.inject(action, request, reply)
    if (reply.sent) return
    if (status !== undefined) {
      throw new SanityError(status, { statusCode: status, error: 'Error', message: `injected ${status}` })
    }
    if (request.headers.authorization !== `Bearer ${this.#token}`) {
      const message = 'Unauthorized - Session not found'
      throw new SanityError(401, { statusCode: 401, error: 'Unauthorized', message })
    }
  }

  #query(query: string, params: Record<string, unknown>): object {
    const result = evaluate(query, params, [...this.#documents.values()])
    if (result === undefined) {
      const description = 'expected a query that the stand-in knows'
      throw new SanityError(400, { error: { type: 'queryParseError', description, query } })
    }
    return { query, ms: 1, result }
  }

  #mutate({ patch, createIfNotExists: created }: Mutation): object {
    if (created) {
      if (!this.#documents.has(created._id)) this.put(created)
      return { id: created._id, operation: 'create' }
    }
    const { id, ifRevisionID, set, unset = [] } = patch!
    const document = this.#documents.get(id)
    if (!document)
      throw conflict(404, `The document with the ID "${id}" was not found`, 'documentNotFoundError')
    if (ifRevisionID !== undefined && ifRevisionID !== document._rev) {
      const why = `Document "${id}" has unexpected revision ID ("${document._rev}"), expected "${ifRevisionID}"`
      throw conflict(409, why, 'documentRevisionIDDoesNotMatchError')
    }
    this.#before.set(id, document)
    const kept = Object.entries({ ...document, ...set }).filter(([name]) => !unset.includes(name))
    this.put(Object.fromEntries(kept) as SanityDocument)
    return { id, operation: 'update' }
  }
}

function conflict(status: number, description: string, type: string): SanityError {
  const items = [{ error: { description, type }, index: 0 }]
  return new SanityError(status, {
    error: { description: 'The mutation(s) failed', items, type: 'mutationError' }
  })
}
