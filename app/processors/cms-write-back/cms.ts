import type { AssetEvent } from '../../ingest/event.ts'
import type { CheckContext, Finding, ProcessorContext, Requirement, StartContext } from '../../processor.ts'
import type { AssetChange } from './asset-change.ts'

/** Second argument of `find`, third of `update`. `event` is the same for all attempts. */
export type CmsContext = Pick<ProcessorContext, 'config' | 'log' | 'signal' | 'state'> & {
  event: Pick<AssetEvent, 'id' | 'occurredAt'>
}

/** The outcome of an update. */
export type EntryOutcome =
  /** Changed and published. */
  | 'published'
  /** Changed, as a draft or with the editor's pending changes. */
  | 'updated'
  /** Has the state already, or does not hold the asset any more. */
  | 'unchanged'
  /** Changed, but the CMS refuses to publish it. */
  | 'not published'

/** A CMS: finds the entries that hold an asset, and changes them. */
export interface Cms<Entry extends { id: string } = { id: string }> {
  /** Name of the CMS, for notes and errors. */
  name: string
  /** Variables that the CMS requires, as in a processor. */
  requires?: readonly Requirement[]
  packages?: readonly string[]
  start?: (context: StartContext) => Promise<void> | void
  check?: (context: CheckContext) => Promise<Finding[]> | Finding[]
  /**
   * Returns the entries that hold the asset: `change.isIn(content)`. May leave out those that have the state
   * already, where `change.applyTo(content)` is the same content.
   */
  find: (change: AssetChange, context: CmsContext) => Promise<readonly Entry[]>
  /**
   * Stores `change.applyTo(content)` unless it is the same content. Must not lose an editor's change: use the
   * CMS's optimistic locking, read again and retry.
   */
  update: (entry: Entry, change: AssetChange, context: CmsContext) => Promise<EntryOutcome>
}
