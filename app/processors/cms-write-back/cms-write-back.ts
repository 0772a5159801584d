import { z } from 'zod'
import { ListenerError, PermanentError } from '../../errors.ts'
import type { Processor, ProcessorContext } from '../../processor.ts'
import { checkOptions } from '../processor-options.ts'
import { type AssetChange, changeOf } from './asset-change.ts'
import type { Cms, EntryOutcome } from './cms.ts'

/** The changes that reach the CMS by default. */
const CHANGES = [
  'rename',
  'move',
  'resource_tags_changed',
  'resource_display_name_changed',
  'delete',
  'delete_by_token'
] as const

/** Others, for which `on` can ask. An upload replaces the file, and so the version, of an asset. */
const FURTHER = ['upload', 'restore_asset_version'] as const

const isFunction = (value: unknown) => typeof value === 'function'

// biome-ignore lint/suspicious/noExplicitAny: entries are the CMS's own
type AnyCms = Cms<any>

function isCms(value: unknown): boolean {
  const { name, find, update } = (value ?? {}) as Partial<AnyCms>
  return typeof name === 'string' && isFunction(find) && isFunction(update)
}

const Options = z.strictObject({
  name: z.string().default('cms-write-back'),
  /** `contentful(…)`, `sanity(…)`, or your own. */
  cms: z.custom<AnyCms>(
    isCms,
    'must be contentful(…), sanity(…), or an object with `name`, `find` and `update`'
  ),
  on: z
    .array(z.enum([...CHANGES, ...FURTHER]))
    .min(1)
    .default([...CHANGES]),
  /** What to do with entries that hold a deleted asset. */
  onDelete: z.enum(['report', 'remove']).default('report')
})

/** @see cmsWriteBack */
export type CmsWriteBackOptions = z.input<typeof Options>

/** Maximum number of entries whose ids are in a note. */
const MAX_IDS = 10

/** Time of an attempt after which it leaves the other entries to the next one, in milliseconds. */
const BUDGET_MS = 240_000

/**
 * Updates the entries of a CMS that hold an asset when the asset is renamed, moved, retagged or deleted. Also
 * handles own changes; it writes nothing to Cloudinary, and nothing to an entry that has the state already, so
 * it cannot loop. Costs one call of the Upload API per event, and calls of the CMS.
 *
 * @param clock milliseconds
 * @throws {ListenerError} LISTENER_CONFIG_INVALID
 */
export function cmsWriteBack(
  options: CmsWriteBackOptions,
  clock: () => number = () => performance.now()
): Processor {
  const { name, cms, on, onDelete } = checkOptions('cmsWriteBack', Options, options)
  return {
    name,
    on,
    ownChanges: true,
    ...(cms.requires && { requires: cms.requires }),
    ...(cms.packages && { packages: cms.packages }),
    ...(cms.start && { start: cms.start.bind(cms) }),
    ...(cms.check && { check: cms.check.bind(cms) }),
    async handle(event, context) {
      const startedAt = clock()
      const change = await changeOf(event, context.cloudinary)
      if (typeof change === 'string') return change
      const entries = await cms.find(change, { ...context, event })
      if (entries.length === 0) return `${cms.name}: no entry to change`
      if (change.kind === 'delete' && onDelete === 'report') return report(cms.name, entries, context)
      const outcomes: [id: string, outcome: EntryOutcome][] = []
      // one after another: the CMS limits the rate of calls
      let refused: PermanentError | undefined
      for (const [index, entry] of entries.entries()) {
        if (index > 0 && clock() - startedAt > BUDGET_MS) {
          throw outcomes.length > 0 ? entriesLeft(cms.name, index, entries) : refused
        }
        try {
          outcomes.push([entry.id, await cms.update(entry, change, { ...context, event })])
        } catch (error) {
          // an entry that the CMS never accepts must not keep the others from their update
          if (!(error instanceof PermanentError)) throw error
          refused ??= error
        }
      }
      if (refused) throw refused
      return noteOf(cms.name, change, outcomes)
    }
  }
}

const entriesLeft = (cms: string, done: number, { length }: readonly unknown[]): ListenerError =>
  new ListenerError(
    'CMS_ENTRIES_LEFT',
    `${cms}: ${done} of ${length} entries are done; the next attempt continues, after the last one redrive the event`
  )

function report(
  cms: string,
  entries: readonly { id: string }[],
  { log }: Pick<ProcessorContext, 'log'>
): string {
  const ids = entries.map(({ id }) => id)
  log.warn(
    { code: 'DELETED_ASSET_IN_CMS', cms, entries: ids.slice(0, MAX_IDS), count: ids.length },
    'deleted asset is still in the CMS'
  )
  return `${cms}: deleted, but still in ${listOf(ids)}`
}

function noteOf(cms: string, { kind }: AssetChange, outcomes: readonly [string, EntryOutcome][]): string {
  const of = (wanted: EntryOutcome) => outcomes.filter(([, outcome]) => outcome === wanted).map(([id]) => id)
  const removed = kind === 'delete' ? 'removed, ' : ''
  const parts = [
    [`${removed}published`, of('published')],
    [`${removed}updated`, of('updated')],
    [`${removed}updated, but the CMS refused to publish`, of('not published')],
    ['unchanged', of('unchanged')]
  ] as const
  const done = parts.filter(([, ids]) => ids.length > 0).map(([what, ids]) => `${what} ${listOf(ids)}`)
  return `${cms}: ${done.join('; ')}`
}

function listOf(ids: readonly string[]): string {
  const named = ids.slice(0, MAX_IDS).join(', ')
  return ids.length > MAX_IDS ? `${named} and ${ids.length - MAX_IDS} more` : named
}
