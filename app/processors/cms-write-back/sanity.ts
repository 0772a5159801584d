import type { SanityClient, SanityDocument } from '@sanity/client'
import { z } from 'zod'
import type { OwnVariable, StartContext } from '../../processor.ts'
import { checkOptions } from '../processor-options.ts'
import type { AssetChange } from './asset-change.ts'
import type { Cms, EntryOutcome } from './cms.ts'
import { cmsError, unless } from './cms-error.ts'
import { documentsQuery } from './sanity-query.ts'

const Options = z.strictObject({
  projectId: z.string().regex(/^[a-z0-9-]+$/, 'must be lower-case letters, digits and "-"'),
  dataset: z.string().regex(/^~?[a-z0-9][\w-]{0,63}$/, 'must be the name of a dataset'),
  /** Paths of the fields that hold assets, by document type: `{ article: ['hero', 'gallery[]'] }`. */
  documentTypes: z
    .record(
      z.string().regex(/^[\w.]+$/, 'must be the name of a document type'),
      z
        .array(
          z
            .string()
            .regex(
              /^[A-Za-z_]\w*(?:\[\])?(?:\.[A-Za-z_]\w*(?:\[\])?)*$/,
              'a path is names separated by dots, with "[]" after a list, such as sections[].image'
            )
        )
        .min(1)
    )
    .refine((types) => Object.keys(types).length > 0, 'name at least one document type'),
  /** Change published documents. False writes changes as drafts. */
  publish: z.boolean().default(true)
})

/** @see sanity */
export type SanityCmsOptions = z.input<typeof Options>

const REQUIRES: readonly OwnVariable[] = [
  {
    name: 'SANITY_TOKEN',
    secret: true,
    allowed: 'a token with the role Editor',
    example: 'local-sanity-token'
  },
  {
    name: 'SANITY_URL',
    schema: z.url({ protocol: /^https?$/ }).optional(),
    allowed: 'the URL of an API that is not at https://PROJECT.api.sanity.io',
    example: 'http://127.0.0.1:4000/_standin/sanity'
  }
]

/** Version of the API. Fixed, since later versions may read queries differently. */
const API_VERSION = '2025-02-19'

/** Maximum time for a response, in milliseconds. */
const TIMEOUT_MS = 20_000

/** Maximum number of writes of a document that somebody else changes at the same time. */
const MAX_WRITES = 5

type Document = SanityDocument & Record<string, unknown>

/** A document that holds the asset. */
interface Found {
  id: string
  document: Document
}

/** A client, and the mapping of its errors. */
interface Connection {
  client: SanityClient
  call: <Result>(name: string, make: (client: SanityClient) => Promise<Result>) => Promise<Result>
}

/**
 * Updates the documents of a Sanity dataset that hold assets, as Sanity's Cloudinary plugin stores them. For
 * `cmsWriteBack`. Drafts and versions of releases are updated too, and stay unpublished.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID
 */
export function sanity(
  options: SanityCmsOptions,
  { timeoutMs = TIMEOUT_MS }: { timeoutMs?: number } = {}
): Cms<Found> {
  const { documentTypes, publish, projectId, dataset } = checkOptions('sanity', Options, options)
  const open = async ({ config }: Pick<StartContext, 'config'>): Promise<Connection> => {
    const { SANITY_TOKEN: token, SANITY_URL: url } = config as unknown as Record<string, string>
    const { createClient } = await import('@sanity/client')
    const client = createClient({
      projectId,
      dataset,
      token: token!,
      apiVersion: API_VERSION,
      useCdn: false,
      // drafts and versions as well
      perspective: 'raw',
      // the worker retries
      maxRetries: 0,
      timeout: timeoutMs,
      ...(url && { apiHost: url.replace(/\/$/, ''), useProjectHostname: false })
    })
    return {
      client,
      call: async (name, make) => {
        try {
          return await make(client)
        } catch (error) {
          throw cmsError({ call: `Sanity: ${name}`, ...failureIn(error), secrets: [token!] })
        }
      }
    }
  }
  const query = documentsQuery(documentTypes)
  let started: Connection | undefined
  return {
    name: 'sanity',
    requires: REQUIRES,
    packages: ['@sanity/client'],
    async start(context) {
      started = await open(context)
    },
    async check({ signal, ...context }) {
      const { call } = await open(context)
      const types = Object.keys(documentTypes)
      const count = await call('count documents', (client) =>
        client.fetch<number>('count(*[_type in $types])', { types }, { signal })
      )
      const message = `Sanity answers; ${count} documents of type ${types.join(', ')}`
      if (count > 0) return [{ level: 'ok', message }]
      return [
        { level: 'warning', message: `${message}: check \`documentTypes\` and the token's permissions` }
      ]
    },
    async find(change, { signal }) {
      const params = {
        assetId: change.assetId ?? '',
        publicIds: change.names.map(({ publicId }) => publicId)
      }
      const documents = await started!.call('search documents', (client) =>
        client.fetch<Document[]>(query, params, { signal })
      )
      return documents
        .filter((document) => change.isIn(document))
        .map((document) => ({ id: document._id, document }))
    },
    update: (found, change, { signal }) => updateDocument(found, change, { ...started!, publish, signal })
  }
}

async function updateDocument(
  { id, document }: Found,
  change: AssetChange,
  { call, publish, signal }: Connection & { publish: boolean; signal: AbortSignal }
): Promise<EntryOutcome> {
  const isDraft = /^(?:drafts|versions)\./.test(id)
  let before: Document | undefined = document
  for (let write = 1; write <= MAX_WRITES && before; write++) {
    signal.throwIfAborted()
    const after = change.applyTo(before)
    if (after === before) return 'unchanged'
    const read: Document = before
    const written = await unless(['CMS_CONFLICT', 'CMS_NOT_FOUND'], () =>
      call('update document', (client) =>
        isDraft || publish
          ? client
              .patch(id, changesOf(read, after))
              .ifRevisionId(read._rev)
              .commit({ returnDocuments: false, signal })
          : client.createIfNotExists(draftOf(after), { returnDocuments: false, signal })
      )
    )
    if (written !== undefined) return isDraft || !publish ? 'updated' : 'published'
    before = await call('read document', (client) => client.getDocument<Document>(id, { signal }))
  }
  if (!before) return 'unchanged'
  const reason = `document ${id} was changed ${MAX_WRITES} times meanwhile`
  throw cmsError({ call: 'Sanity: update document', status: 409, reason, secrets: [] })
}

/**
 * Returns a new draft of a published document. A draft that exists already was found, or does not hold the
 * asset.
 */
function draftOf({ _rev, _updatedAt, ...content }: Document) {
  return { ...content, _id: `drafts.${content._id}`, _type: content._type }
}

/** Returns the fields of a document that differ, as a patch. */
function changesOf(before: Document, after: Document) {
  const changed = Object.entries(after).filter(([name, value]) => value !== before[name])
  const removed = Object.keys(before).filter((name) => !(name in after))
  return {
    ...(changed.length > 0 && { set: Object.fromEntries(changed) }),
    ...(removed.length > 0 && { unset: removed })
  }
}

/** Reads status and reason of the client's error, which also holds the response. */
function failureIn(error: unknown): { status: number | undefined; reason: string } {
  const { statusCode, message } = error as Error & { statusCode?: number }
  return { status: statusCode, reason: message }
}
