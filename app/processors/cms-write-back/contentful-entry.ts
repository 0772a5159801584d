import type { AssetChange } from './asset-change.ts'
import type { CmsContext, EntryOutcome } from './cms.ts'
import { cmsError, unless } from './cms-error.ts'
import type { ContentfulCall, ContentfulEntry } from './contentful-client.ts'
import { assetFieldsOf, type ContentfulEntries, type ContentTypes } from './contentful-entries.ts'

/**
 * An entry that holds the asset. `unpublished` is its version if an earlier attempt wrote it but may not have
 * published it.
 */
export interface FoundEntry {
  id: string
  unpublished: number | undefined
}

export interface EntryTools extends Pick<CmsContext, 'event' | 'signal' | 'state'> {
  call: ContentfulCall
  entries: Pick<ContentfulEntries, 'put' | 'remove'>
  contentTypes: ContentTypes
  publish: boolean
}

/** Maximum number of writes of an entry that somebody else changes at the same time. */
const MAX_WRITES = 5

/**
 * Writes a change into an entry: reads it, and writes with its version. If somebody else changed it meanwhile
 * (409), reads it again, so that no change is lost. Publishes it if it was published without pending changes.
 *
 * Source: https://www.contentful.com/developers/docs/references/content-management-api/#/introduction/updating-and-version-locking
 */
export async function updateEntry(
  { id, unpublished }: FoundEntry,
  change: AssetChange,
  tools: EntryTools
): Promise<EntryOutcome> {
  const { call, entries, contentTypes, signal } = tools
  for (let write = 1; write <= MAX_WRITES; write++) {
    signal.throwIfAborted()
    const entry = await unless(['CMS_NOT_FOUND'], () =>
      call('read entry', (client) => client.entry.get({ entryId: id }))
    )
    if (entry === undefined) {
      entries.remove(id)
      return 'unchanged'
    }
    entries.put(entry)
    const before = assetFieldsOf(entry, contentTypes)
    const after = change.applyTo(before)
    if (after === before || entry.sys.archivedVersion !== undefined) {
      // with the change in it, this version is not one that an editor wrote instead
      return entry.sys.version === unpublished ? publishEntry(entry, tools) : 'unchanged'
    }
    const publishes = tools.publish && isPublished(entry)
    // saved before the write: the next attempt publishes if this one is killed in between
    const versions = new UnpublishedVersions(tools.state, tools.event)
    if (publishes) await versions.add(id, entry.sys.version + 1)
    const written = await unless(['CMS_CONFLICT'], () =>
      call('update entry', (client) =>
        client.entry.update({ entryId: id }, { ...entry, fields: { ...entry.fields, ...after } })
      )
    )
    if (written === undefined) {
      // the editor's version must not be published
      if (publishes) await versions.remove(id)
      continue
    }
    entries.put(written)
    return publishes ? publishEntry(written, tools) : 'updated'
  }
  throw cmsError({
    call: 'Contentful: update entry',
    status: 409,
    reason: `entry ${id} was changed ${MAX_WRITES} times meanwhile`,
    secrets: []
  })
}

/** Publishing increases the version by one; any larger difference is a pending change. */
const isPublished = ({ sys: { version, publishedVersion } }: ContentfulEntry): boolean =>
  publishedVersion !== undefined && version === publishedVersion + 1

/** Leaves an entry that is not valid (422), or was changed meanwhile (409), to its editor. */
async function publishEntry(
  entry: ContentfulEntry,
  { call, state, event }: Pick<EntryTools, 'call' | 'state' | 'event'>
): Promise<EntryOutcome> {
  const { id: entryId } = entry.sys
  const published = await unless(['CMS_CONFLICT', 'CMS_REJECTED'], () =>
    call('publish entry', (client) => client.entry.publish({ entryId }, entry))
  )
  await new UnpublishedVersions(state, event).remove(entryId)
  return published ? 'published' : 'not published'
}

type Versions = Readonly<Record<string, number>>

/** The versions of entries that an event has written, or is about to write, and not published yet. */
export class UnpublishedVersions {
  readonly #state: CmsContext['state']
  readonly #key: string

  constructor(state: CmsContext['state'], { id }: CmsContext['event']) {
    this.#state = state
    this.#key = `publish/${id}`
  }

  /** Returns versions by entry id. */
  async read(): Promise<Versions> {
    return (await this.#state.get<Versions>(this.#key)) ?? {}
  }

  async add(entryId: string, version: number): Promise<void> {
    await this.#state.set(this.#key, { ...(await this.read()), [entryId]: version })
  }

  async remove(entryId: string): Promise<void> {
    const { [entryId]: _, ...others } = await this.read()
    await (Object.keys(others).length > 0
      ? this.#state.set(this.#key, others)
      : this.#state.delete(this.#key))
  }
}
