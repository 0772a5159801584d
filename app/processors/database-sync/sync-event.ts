import type { AssetState } from '../../cloudinary/client.ts'
import { isNotFound } from '../../cloudinary/cloudinary-error.ts'
import type { Asset, AssetEvent } from '../../ingest/event.ts'
import type { ProcessorContext } from '../../processor.ts'
import type { AssetRows, Claim, Name, RowFilter } from './sync-rows.ts'

/** An event about an asset. Its kind is known, or it has only an asset id. */
export type EventOfAsset = AssetEvent & { asset: Asset }

type Context = Pick<ProcessorContext, 'signal'> & {
  cloudinary: Pick<ProcessorContext['cloudinary'], 'currentState'>
}

type Rows = Pick<AssetRows, 'now' | 'put' | 'claims' | 'remove' | 'clear'>

/**
 * Updates the rows of the names that an event mentions to what Cloudinary has under them now. Any later
 * change outdates the notification, so it only says where to look. Events may arrive in any order, repeatedly
 * and in parallel; docs/decisions/0016-rows-in-step.md says why the table still converges.
 *
 * @returns a note with the outcome
 */
export function syncEvent(event: EventOfAsset, context: Context, rows: Rows): Promise<string> {
  return new EventSync(event, context, rows).run()
}

class EventSync {
  readonly #event: EventOfAsset
  readonly #context: Context
  readonly #rows: Rows

  constructor(event: EventOfAsset, context: Context, rows: Rows) {
    this.#event = event
    this.#context = context
    this.#rows = rows
  }

  async run(): Promise<string> {
    const { asset, environment } = this.#event
    const name = nameOf(asset)
    const { storedId, note } = name ? await this.#syncName(name) : { note: undefined }
    const notes = [note]
    const isInStep = storedId !== undefined && storedId === asset.assetId
    const filter = isInStep ? undefined : this.#otherRows(name)
    for (const claim of filter ? await this.#rows.claims(environment, filter) : []) {
      if (!name || !isSame(claim, name)) notes.push(await this.#check(claim))
    }
    return notes.find(Boolean) ?? 'skipped: the asset does not exist under this name, and has no row'
  }

  /**
   * Selects rows that may hold a name which the asset no longer has; undefined if the event cannot leave any.
   */
  #otherRows(name: Name | undefined): RowFilter | undefined {
    const { type, asset, payload } = this.#event
    const leavesAName = type === 'rename' || type === 'move' || isDeletion(type)
    if (asset.assetId !== undefined) return leavesAName || !name ? { assetId: asset.assetId } : undefined
    // a rename may change the delivery type as well, and does not state the old one
    if (type !== 'rename') return undefined
    return { publicId: String(payload.from_public_id), resourceType: name?.resourceType }
  }

  /**
   * Makes the table equal to what Cloudinary has under a name. Reads the asset again after a row gets a new
   * name: a later change may have been handled between read and write, and found no row to update.
   *
   * @returns the id of the asset if this event stored its row
   */
  async #syncName(name: Name): Promise<{ storedId?: string; note: string | undefined }> {
    const { environment, type } = this.#event
    let note: string | undefined
    for (;;) {
      const { at, found } = await this.#look(name)
      if (found === undefined) {
        // a renamed asset gets an event of its own, so keep its row
        const which = isDeletion(type) || type === 'rename' ? 'all' : 'unconfirmed'
        const isRemoved = await this.#rows.clear(environment, name, at, which)
        return { note: isRemoved ? 'row removed' : note }
      }
      const { outcome, isConfirmed } = await this.#rows.put(environment, found, at)
      note ??= outcome === 'outdated' ? 'skipped: the row is newer' : `row ${outcome}`
      if (outcome === 'outdated') return { note }
      if (isConfirmed) return { storedId: found.asset_id, note }
    }
  }

  /** Updates a row if its asset still has this name; otherwise removes it. */
  async #check(claim: Claim): Promise<string> {
    const { environment } = this.#event
    for (;;) {
      const { at, found } = await this.#look(claim)
      if (found?.asset_id !== claim.assetId) {
        await this.#rows.remove(environment, claim, at)
        return 'row removed'
      }
      const { outcome, isConfirmed } = await this.#rows.put(environment, found, at)
      if (isConfirmed || outcome === 'outdated') return 'row updated'
    }
  }

  /** Reads the database's time, then the asset that has a name now. */
  async #look(name: Name): Promise<{ at: string; found: AssetState | undefined }> {
    const { cloudinary, signal } = this.#context
    const at = await this.#rows.now()
    const found = await cloudinary.currentState(name).catch((error: unknown) => {
      if (isNotFound(error)) return undefined
      throw error
    })
    signal.throwIfAborted()
    return { at, found }
  }
}

export const isDeletion = (type: AssetEvent['type']): boolean =>
  type === 'delete' || type === 'delete_by_token'

/** The name that an event states; undefined if it is incomplete. */
function nameOf({ publicId, resourceType, deliveryType }: Asset): Name | undefined {
  return publicId && resourceType && deliveryType ? { publicId, resourceType, deliveryType } : undefined
}

const isSame = (claim: Claim, { publicId, resourceType, deliveryType }: Name): boolean =>
  claim.publicId === publicId && claim.resourceType === resourceType && claim.deliveryType === deliveryType
