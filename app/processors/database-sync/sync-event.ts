import type { AssetState } from '../../cloudinary/client.ts'
import { CloudinaryError } from '../../cloudinary/cloudinary-error.ts'
import type { Asset, AssetEvent } from '../../ingest/event.ts'
import type { ProcessorContext } from '../../processor.ts'
import type { AssetRows, Claim, Name, RowFilter } from './sync-rows.ts'

/** An event that is about an asset, of a kind that is known unless there is nothing but an asset id. */
export type EventOfAsset = AssetEvent & { asset: Asset }

type Context = Pick<ProcessorContext, 'signal'> & {
  cloudinary: Pick<ProcessorContext['cloudinary'], 'currentState'>
}

type Rows = Pick<AssetRows, 'now' | 'put' | 'claims' | 'remove' | 'clear'>

/**
 * Brings the rows of the names that an event is about to what Cloudinary has under them now. What the notification says
 * of the asset is outdated by any later change, so it is only a reason to look. Events may come in any order, any number
 * of times and side by side; docs/decisions/0016-rows-in-step.md says why the table is then right.
 *
 * @returns a note on what was done
 */
export function follow(event: EventOfAsset, context: Context, rows: Rows): Promise<string> {
  return new Follower(event, context, rows).run()
}

class Follower {
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
    const { storedId, note } = name ? await this.#followName(name) : { note: undefined }
    const notes = [note]
    const isInStep = storedId !== undefined && storedId === asset.assetId
    const filter = isInStep ? undefined : this.#otherRows(name)
    for (const claim of filter ? await this.#rows.claims(environment, filter) : []) {
      if (!name || !isSame(claim, name)) notes.push(await this.#check(claim))
    }
    return notes.find(Boolean) ?? 'skipped: not there by this name, and no row is left to remove'
  }

  /** Selects rows that may say a name which the asset no longer has; undefined where the event leaves none. */
  #otherRows(name: Name | undefined): RowFilter | undefined {
    const { type, asset, payload } = this.#event
    const leavesAName = type === 'rename' || type === 'move' || isDeletion(type)
    if (asset.assetId !== undefined) return leavesAName || !name ? { assetId: asset.assetId } : undefined
    // a rename may change the delivery type as well, and does not state the old one
    if (type !== 'rename') return undefined
    return { publicId: String(payload.from_public_id), resourceType: name?.resourceType }
  }

  /**
   * Makes what the table has under a name equal to what Cloudinary has under it. What was placed is looked at again:
   * while this event looked, an event of a later change may have been handled, and found no row to change.
   *
   * @returns the id of the asset whose row says this name now, where this event stored it
   */
  async #followName(name: Name): Promise<{ storedId?: string; note: string | undefined }> {
    const { environment, type } = this.#event
    let note: string | undefined
    for (;;) {
      const { at, found } = await this.#look(name)
      if (found === undefined) {
        // another event is to come of an asset that was renamed, and its row is kept for it
        const which = isDeletion(type) || type === 'rename' ? 'all' : 'unconfirmed'
        const isRemoved = await this.#rows.clear(environment, name, at, which)
        return { note: isRemoved ? 'row removed' : note }
      }
      const { outcome, isConfirmed } = await this.#rows.put(environment, found, at)
      note ??= outcome === 'outdated' ? 'skipped: something later was seen' : `row ${outcome}`
      if (outcome === 'outdated') return { note }
      if (isConfirmed) return { storedId: found.asset_id, note }
    }
  }

  /** Updates a row where its asset is called as it says; else removes it. */
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

  /** Asks the database for the time, and then Cloudinary for the asset under a name. */
  async #look(name: Name): Promise<{ at: string; found: AssetState | undefined }> {
    const { cloudinary, signal } = this.#context
    const at = await this.#rows.now()
    const found = await cloudinary.currentState(name).catch((error: unknown) => {
      if (error instanceof CloudinaryError && error.status === 404) return undefined
      throw error
    })
    signal.throwIfAborted()
    return { at, found }
  }
}

const isDeletion = (type: AssetEvent['type']) => type === 'delete' || type === 'delete_by_token'

/** The name that an event states, where it states all of it. */
function nameOf({ publicId, resourceType, deliveryType }: Asset): Name | undefined {
  return publicId && resourceType && deliveryType ? { publicId, resourceType, deliveryType } : undefined
}

const isSame = (claim: Claim, { publicId, resourceType, deliveryType }: Name): boolean =>
  claim.publicId === publicId && claim.resourceType === resourceType && claim.deliveryType === deliveryType
