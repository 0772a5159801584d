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

/** An event that is about an asset, of a kind that is known unless there is nothing but an asset id. */
export type EventOfAsset = AssetEvent & { asset: Asset }

type Context = Pick<ProcessorContext, 'state' | 'signal'> & {
  cloudinary: Pick<ProcessorContext['cloudinary'], 'currentState'>
}

type Rows = Pick<AssetRows, 'now' | 'put' | 'claims' | 'remove'>

/**
 * Brings the row of an asset to what Cloudinary says of it now. What the notification says of it is outdated by any
 * later change; so it counts as no more than a reason to look, and events may come in any order, any number of times
 * and side by side. After each change there is an event that looks, under the name that the asset had by then; so
 * the event of the last change finds it, and a row is what was seen last.
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
    const { type, asset, environment } = this.#event
    const sight = await this.#look(asset)
    const { found } = sight
    const isThere = found !== undefined && (asset.assetId ?? found.asset_id) === found.asset_id
    let note = isThere ? await this.#store(found, sight.at) : undefined
    let left: Claim[] = []
    if (type === 'rename') left = await this.#leftByRename()
    else if (!isThere && (await this.#isDeletion(sight.at)))
      left = await this.#rows.claims(environment, asset)
    for (const claim of left) {
      const settled = await this.#settle(claim, isSame(claim, asset) ? sight : undefined)
      note ??= settled
    }
    return note ?? 'skipped: not there by this name, and no row is left to remove'
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
    if (outcome === 'outdated') return 'skipped: something later was seen'
    if (outcome === 'inserted') {
      // while this event looked, another may have found it gone, and no row to remove
      const goneAt = await state.get<string>(goneKey(found.asset_id))
      if (goneAt !== undefined && goneAt >= at) return this.#settle(claimOf(found))
    }
    return `row ${outcome}`
  }

  /** Stores the asset if it is where its row says; else removes the row. */
  async #settle(claim: Claim, sight?: Sight): Promise<string> {
    const { at, found } = sight ?? (await this.#look(claim))
    if (found?.asset_id === claim.assetId) return this.#store(found, at)
    await this.#noteGone(claim.assetId, at)
    if (await this.#rows.remove(claim, at)) return 'row removed'
    // it was removed, or changed, meanwhile
    const [changed] = await this.#rows.claims(this.#event.environment, { assetId: claim.assetId })
    return changed ? this.#settle(changed) : 'row removed'
  }

  #noteGone(assetId: string, at: string): Promise<void> {
    return this.#context.state.set(goneKey(assetId), at)
  }

  /**
   * A rename can overwrite another asset, of which nothing is notified; and its own may have been renamed again, deleted
   * or overwritten before this event was handled. So no other row is right that says the new name, nor one of its own
   * that says another.
   */
  async #leftByRename(): Promise<Claim[]> {
    const { asset, environment, payload } = this.#event
    const { assetId, ...name } = asset
    const overwritten = await this.#rows.claims(environment, name)
    const before = { ...name, publicId: String(payload.from_public_id) }
    const own = await this.#rows.claims(environment, assetId === undefined ? before : asset)
    return [
      ...overwritten.filter((claim) => claim.assetId !== assetId),
      ...own.filter((claim) => !isSame(claim, asset))
    ]
  }

  /** An event that was slow may find, later than the deletion's own, that the asset is gone. */
  async #isDeletion(at: string): Promise<boolean> {
    const { type, asset } = this.#event
    const isDeletion = type === 'delete' || type === 'delete_by_token'
    if (asset.assetId === undefined) return isDeletion
    if (isDeletion) await this.#noteGone(asset.assetId, at)
    return isDeletion || (await this.#context.state.get(goneKey(asset.assetId))) !== undefined
  }
}

/** Under it is kept when an asset was looked for and not there. */
const goneKey = (assetId: string): string => `gone/${assetId}`

const claimOf = ({ asset_id, public_id, resource_type, type }: AssetState): Claim => ({
  assetId: asset_id,
  publicId: public_id,
  resourceType: resource_type,
  deliveryType: type
})

const isSame = (claim: Claim, { publicId, resourceType, deliveryType }: Asset): boolean =>
  claim.publicId === publicId && claim.resourceType === resourceType && claim.deliveryType === deliveryType
