import { z } from 'zod'
import type { CheckContext, OwnVariable, StartContext } from '../../processor.ts'
import { checkOptions } from '../processor-options.ts'
import type { Cms } from './cms.ts'
import { type ContentfulCall, createContentful } from './contentful-client.ts'
import { ContentfulEntries, type ContentTypes } from './contentful-entries.ts'
import { type FoundEntry, UnpublishedVersions, updateEntry } from './contentful-entry.ts'

/** An id, as Contentful allows it. */
const ID = z.string().regex(/^[\w.-]{1,64}$/, 'must be 1 to 64 letters, digits, ".", "_" or "-"')

const Options = z.strictObject({
  /** Id of the space. */
  space: ID,
  environment: ID.default('master'),
  /** Ids of the JSON fields that hold assets, by content type: `{ article: ['hero', 'gallery'] }`. */
  contentTypes: z
    .record(ID, z.array(ID).min(1))
    .refine((types) => Object.keys(types).length > 0, 'name at least one content type'),
  /** Publish an entry again if it was published and had no pending changes. */
  publish: z.boolean().default(true)
})

/** @see contentful */
export type ContentfulCmsOptions = z.input<typeof Options>

type Variables = Record<string, string>

const REQUIRES: readonly OwnVariable[] = [
  {
    name: 'CONTENTFUL_MANAGEMENT_TOKEN',
    secret: true,
    allowed: 'a token of the Content Management API',
    example: 'local-contentful-token'
  },
  {
    name: 'CONTENTFUL_URL',
    schema: z.url({ protocol: /^https?$/ }).default('https://api.contentful.com'),
    allowed: 'the URL of the Content Management API, such as https://api.eu.contentful.com',
    example: 'http://127.0.0.1:4000/_standin/contentful'
  }
]

/** Maximum time for a response, in milliseconds. */
const TIMEOUT_MS = 20_000

/** The same for `doctor`, which allows 5 s. */
const CHECK_MS = 4000

/**
 * Updates the entries of a Contentful space that hold assets in JSON fields, as Contentful's Cloudinary app
 * stores them. For `cmsWriteBack`.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID
 */
export function contentful(
  options: ContentfulCmsOptions,
  { timeoutMs = TIMEOUT_MS }: { timeoutMs?: number } = {}
): Cms<FoundEntry> {
  const { publish, contentTypes, ...at } = checkOptions('contentful', Options, options)
  const open = ({ config }: Pick<StartContext, 'config'>, within: number) => {
    const { CONTENTFUL_MANAGEMENT_TOKEN: token, CONTENTFUL_URL: url } = config as unknown as Variables
    return createContentful({ ...at, token: token!, url: url!, timeoutMs: within })
  }
  let started: { call: ContentfulCall; entries: ContentfulEntries } | undefined
  return {
    name: 'contentful',
    requires: REQUIRES,
    packages: ['contentful-management'],
    async start(context) {
      const call = await open(context, timeoutMs)
      started = { call, entries: new ContentfulEntries(contentTypes, call) }
    },
    async check(context) {
      return checkContentTypes(await open(context, CHECK_MS), contentTypes, context)
    },
    async find(change, { state, event }) {
      const ids = await started!.entries.find(change, event.occurredAt)
      const unpublished = await new UnpublishedVersions(state, event).read()
      return [...new Set([...ids, ...Object.keys(unpublished)])].map((id) => ({
        id,
        unpublished: unpublished[id]
      }))
    },
    update(found, change, context) {
      return updateEntry(found, change, { ...context, ...started!, contentTypes, publish })
    }
  }
}

async function checkContentTypes(
  call: ContentfulCall,
  types: ContentTypes,
  { signal }: Pick<CheckContext, 'signal'>
) {
  const { items } = await call('read content types', (client) =>
    client.contentType.getMany({ query: { limit: 1000 } })
  )
  signal.throwIfAborted()
  const missing = Object.entries(types).flatMap(([type, fields]) => {
    const known = items.find(({ sys }) => sys.id === type)
    if (!known) return [`content type ${type}`]
    return fields
      .filter((field) => !known.fields.some(({ id, type: kind }) => id === field && kind === 'Object'))
      .map((field) => `JSON field ${type}.${field}`)
  })
  return missing.length > 0
    ? [
        {
          level: 'fault' as const,
          message: `Contentful has no ${missing.join(', ')}; correct \`contentTypes\``
        }
      ]
    : [{ level: 'ok' as const, message: 'Contentful answers; the content types have the fields' }]
}
