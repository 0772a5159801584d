import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { CmsFaults } from './cms-faults.ts'

type LocalizedFields = Record<string, Record<string, unknown>>

/** An entry, as the Content Management API returns it. */
export interface Entry {
  sys: {
    id: string
    type: 'Entry'
    version: number
    publishedVersion?: number
    archivedVersion?: number
    createdAt: string
    updatedAt: string
    contentType: { sys: { type: 'Link'; linkType: 'ContentType'; id: string } }
  }
  fields: LocalizedFields
}

export interface ContentfulOptions {
  token: string
  /** Ids of the JSON fields, by content type. */
  contentTypes: Record<string, string[]>
  /** Milliseconds since the epoch. (Default: the system clock) */
  clock?: () => number
}

interface Path {
  space: string
  environment: string
  id: string
}

class ContentfulError extends Error {
  readonly status: number
  readonly id: string

  constructor(status: number, id: string, message: string) {
    super(message)
    this.status = status
    this.id = id
  }
}

/** Codes of statuses that are injected. */
const IDS: Record<number, string> = {
  401: 'AccessTokenInvalid',
  403: 'AccessDenied',
  404: 'NotFound',
  422: 'ValidationFailed',
  429: 'RateLimitExceeded'
}

/**
 * A space of Contentful: entries with versions, and the part of the Content Management API that
 * `cmsWriteBack` uses.
 *
 * Sources: https://www.contentful.com/developers/docs/references/content-management-api/ and
 * https://www.contentful.com/developers/docs/references/errors/
 */
export class ContentfulStandIn {
  readonly faults = new CmsFaults()
  /** Maximum size of a response. Source: https://www.contentful.com/developers/docs/technical-limits/ */
  maximumBytes = 7_340_032
  readonly #entries = new Map<string, Entry>()
  /** Fields before the last write by the API. */
  readonly #before = new Map<string, LocalizedFields>()
  readonly #options: ContentfulOptions

  constructor(options: ContentfulOptions) {
    this.#options = options
  }

  /** Creates an entry as an editor, published or as a draft. */
  create(id: string, type: string, fields: LocalizedFields, { published = true } = {}): Entry {
    const now = this.#now()
    const contentType = { sys: { type: 'Link', linkType: 'ContentType', id: type } } as const
    const sys = { id, type: 'Entry', version: 1, createdAt: now, updatedAt: now, contentType } as const
    const entry: Entry = structuredClone({ sys, fields })
    this.#entries.set(id, entry)
    if (published) this.#publish(entry)
    return entry
  }

  /** Changes fields of an entry as an editor, without publishing it. */
  edit(id: string, fields: LocalizedFields): Entry {
    const entry = this.entry(id)!
    this.#write(entry, { ...entry.fields, ...fields })
    return entry
  }

  entry(id: string): Entry | undefined {
    return this.#entries.get(id)
  }

  delete(id: string): void {
    this.#entries.delete(id)
  }

  /** The entries, with their fields before the last write by the API. */
  view(): object[] {
    return [...this.#entries.values()].map(({ sys, fields }) => ({
      id: sys.id,
      contentType: sys.contentType.sys.id,
      version: sys.version,
      publishedVersion: sys.publishedVersion,
      ...(this.#before.has(sys.id) && { before: this.#before.get(sys.id) }),
      fields
    }))
  }

  /** The API, as a plugin. */
  readonly api = async (app: FastifyInstance): Promise<void> => {
    app.addContentTypeParser(/^application\/(?:.+\+)?json/, { parseAs: 'string' }, (_request, body, done) =>
      done(null, body === '' ? undefined : JSON.parse(String(body)))
    )
    app.setErrorHandler((error: Partial<ContentfulError>, _request, reply) => {
      reply.code(error.status ?? 500)
      const { id = 'ServerError', message } = error
      return { requestId: 'local', sys: { type: 'Error', id }, message }
    })
    const serve = (
      method: 'GET' | 'PUT',
      path: string,
      action: string,
      answer: (request: FastifyRequest<{ Params: Path; Querystring: Record<string, string> }>) => unknown
    ) =>
      app.route<{ Params: Path; Querystring: Record<string, string> }>({
        method,
        url: `/spaces/:space/environments/:environment${path}`,
        handler: async (request, reply) => {
          await this.#admit(action, request, reply)
          return reply.sent ? reply : answer(request)
        }
      })
    serve('GET', '/content_types', 'read content types', () => this.#contentTypes())
    serve('GET', '/entries', 'search entries', ({ query }) => this.#search(query))
    serve('GET', '/entries/:id', 'read entry', ({ params }) => this.#known(params.id))
    serve('PUT', '/entries/:id', 'update entry', (request) => {
      const entry = this.#locked(request)
      const { fields } = request.body as Pick<Entry, 'fields'>
      this.#before.set(entry.sys.id, entry.fields)
      return this.#write(entry, fields)
    })
    serve('PUT', '/entries/:id/published', 'publish entry', (request) => this.#publish(this.#locked(request)))
  }

  async #admit(action: string, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const status = await this.faults.inject(action, request, reply)
    if (reply.sent) return
    if (status !== undefined) {
      throw new ContentfulError(status, IDS[status] ?? 'ServerError', `injected ${status}`)
    }
    if (request.headers.authorization !== `Bearer ${this.#options.token}`) {
      throw new ContentfulError(
        401,
        'AccessTokenInvalid',
        'The access token you sent could not be found or is invalid.'
      )
    }
  }

  #known(id: string): Entry {
    const entry = this.#entries.get(id)
    if (!entry) throw new ContentfulError(404, 'NotFound', 'The resource could not be found.')
    return entry
  }

  /** @throws {ContentfulError} 409 unless the request has the current version */
  #locked({ params, headers }: { params: Path; headers: FastifyRequest['headers'] }): Entry {
    const entry = this.#known(params.id)
    if (Number(headers['x-contentful-version']) !== entry.sys.version) {
      throw new ContentfulError(409, 'VersionMismatch', 'Version mismatch')
    }
    return entry
  }

  #write(entry: Entry, fields: LocalizedFields): Entry {
    entry.fields = structuredClone(fields)
    entry.sys.version += 1
    entry.sys.updatedAt = this.#now()
    return entry
  }

  #publish(entry: Entry): Entry {
    entry.sys.publishedVersion = entry.sys.version
    entry.sys.version += 1
    entry.sys.updatedAt = this.#now()
    return entry
  }

  #search(query: Record<string, string>): object {
    const { content_type: type, select, limit = '100', skip = '0', 'sys.updatedAt[gte]': since } = query
    const found = [...this.#entries.values()]
      .filter(({ sys }) => sys.contentType.sys.id === type && (!since || sys.updatedAt >= since))
      .sort((one, other) => (one.sys.id < other.sys.id ? -1 : 1))
    const selected = select?.split(',')
    const items = found.slice(Number(skip), Number(skip) + Number(limit)).map(({ sys, fields }) => ({
      sys,
      fields: Object.fromEntries(
        Object.entries(fields).filter(([name]) => !selected || selected.includes(`fields.${name}`))
      )
    }))
    if (Buffer.byteLength(JSON.stringify(items)) > this.maximumBytes) {
      const message = `Response size too big. Maximum allowed response size: ${this.maximumBytes}B.`
      throw new ContentfulError(400, 'BadRequest', message)
    }
    return {
      sys: { type: 'Array' },
      total: found.length,
      skip: Number(skip),
      limit: Number(limit),
      items
    }
  }

  #contentTypes(): object {
    const items = Object.entries(this.#options.contentTypes).map(([id, fields]) => ({
      sys: { id, type: 'ContentType' },
      name: id,
      fields: [
        { id: 'title', name: 'Title', type: 'Symbol' },
        ...fields.map((field) => ({ id: field, name: field, type: 'Object' }))
      ]
    }))
    return { sys: { type: 'Array' }, total: items.length, skip: 0, limit: 1000, items }
  }

  #now(): string {
    return new Date((this.#options.clock ?? Date.now)()).toISOString()
  }
}
