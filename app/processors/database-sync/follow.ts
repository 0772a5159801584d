import type { AssetState } from '../../cloudinary/client.ts'
import type { Asset, AssetEvent } from '../../cloudinary/event.ts'
import { CloudinaryError } from '../../cloudinary/fault.ts'
import type { ProcessorContext } from '../../listener.ts'
import type { AssetRows, Claim } from './rows.ts'

/** What Cloudinary has under a name, if anything, and when it was asked. */
interface Sight {
  at: string
  found: AssetState | undefined
}

/** An event that is about an asset. */
export type EventOfAsset = AssetEvent & { asset: Asset }

type Context = Pick<ProcessorContext, 'cloudinary' | 'state' | 'signal'>

type Rows = Pick<AssetRows, 'now' | 'put' | 'claims' | 'remove'>

/**
 * Brings the row of an asset to what Cloudinary says of it now. What the notification says of it is outdated by any
 * later change; so it counts as no more than a reason to look, and events may come in any order, any number of times
 * and side by side: a row is what was seen last, and after each change there is an event that looks.
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
    const { type, asset } = this.#event
    const sight = await this.#look(asset)
    const { found } = sight
    const isThere = found !== undefined && (asset.assetId ?? found.asset_id) === found.asset_id
    let note: string | undefined
    if (isThere) note = await this.#store(found, sight.at)
    if (type === 'delete' || type === 'delete_by_token') note = (await this.#deleted(sight, isThere)) ?? note
    else if (type === 'rename') await this.#renamed(sight, isThere)
    if (note === undefined && asset.assetId !== undefined) note = await this.#storeByRow()
    return note ?? 'skipped: not there by this name; what became of it has an event of its own'
  }

  /** Asks Cloudinary, and before that the database for the time. */
  async #look(name: Asset): Promise<Sight> {
    const at = await this.#rows.now()
    if (name.publicId === undefined) return { at, found: undefined }
    try {
      return { at, found: await this.#context.cloudinary.currentState(name) }
    } catch (error) {
      if (error instanceof CloudinaryError && error.status === 404) return { at, found: undefined }
      throw error
    }
  }

  async #store(found: AssetState, at: string): Promise<string> {
    const { state, signal } = this.#context
    signal.throwIfAborted()
    const outcome = await this.#rows.put(this.#event.environment, found, at)
    if (outcome === 'outdated') return 'skipped: the row was seen later'
    if (outcome === 'inserted') {
      // while this worker looked another may have handled the deletion, and found no row to remove
      const deletedAt = await state.get<string>(deletionOf(found.asset_id))
      if (deletedAt !== undefined && deletedAt > at)
        return (await this.#settle(claimOf(found))) ?? 'row removed'
    }
    return `row ${outcome}`
  }

  /** Stores the asset if it is where its row says; else removes the row. Undefined where there is none by then. */
  async #settle(claim: Claim, sight?: Sight): Promise<string | undefined> {
    const { at, found } = sight ?? (await this.#look(claim))
    if (found?.asset_id === claim.assetId) return this.#store(found, at)
    if (await this.#rows.remove(claim, at)) return 'row removed'
    // it was removed, or changed, meanwhile
    const [changed] = await this.#rows.claims(this.#event.environment, { assetId: claim.assetId })
    return changed && this.#settle(changed)
  }

  /** The asset may have been restored or named anew since, so that its row is asked as well. */
  async #deleted(sight: Sight, isThere: boolean): Promise<string | undefined> {
    const { asset, environment } = this.#event
    if (asset.assetId !== undefined) {
      if (isThere) return undefined
      await this.#context.state.set(deletionOf(asset.assetId), sight.at)
    }
    let note: string | undefined = 'skipped: there is no row'
    for (const claim of await this.#rows.claims(environment, asset)) {
      note = await this.#settle(claim, isSame(claim, asset) ? sight : undefined)
    }
    return note
  }

  /** A rename can overwrite another asset, of which nothing is notified. */
  async #renamed(sight: Sight, isThere: boolean): Promise<void> {
    const { asset, environment, payload } = this.#event
    const { assetId, ...name } = asset
    for (const claim of isThere ? await this.#rows.claims(environment, name) : []) {
      if (claim.assetId !== sight.found?.asset_id) await this.#settle(claim, sight)
    }
    if (assetId !== undefined || typeof payload.from_public_id !== 'string') return
    // without its id, the row of an asset that was deleted meanwhile is found by its old name alone
    const before = { ...name, publicId: payload.from_public_id }
    for (const claim of await this.#rows.claims(environment, before)) await this.#settle(claim)
  }

  /**
   * The event was overtaken by a rename or a deletion. If it is a rename that was followed already, the row says where
   * the asset is. If not, its own event follows: were the row removed now, a renamed asset would be missing till then,
   * and so would all that refers to its row.
   */
  async #storeByRow(): Promise<string | undefined> {
    const { asset, environment } = this.#event
    const [claim] = await this.#rows.claims(environment, asset)
    if (claim === undefined || isSame(claim, asset)) return undefined
    const { at, found } = await this.#look(claim)
    return found?.asset_id === claim.assetId ? this.#store(found, at) : undefined
  }
}

const deletionOf = (assetId: string): string => `deleted/${assetId}`

const claimOf = ({ asset_id, public_id, resource_type, type }: AssetState): Claim => ({
  assetId: asset_id,
  publicId: public_id,
  resourceType: resource_type,
  deliveryType: type
})

/** What a notification leaves out is asked for as an uploaded image. */
const isSame = (
  claim: Claim,
  { publicId, resourceType = 'image', deliveryType = 'upload' }: Asset
): boolean =>
  claim.publicId === publicId && claim.resourceType === resourceType && claim.deliveryType === deliveryType
