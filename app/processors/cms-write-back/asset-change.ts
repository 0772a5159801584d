import type { AssetState } from '../../cloudinary/client.ts'
import { isNotFound } from '../../cloudinary/cloudinary-error.ts'
import { type IdentifiedAsset, isIdentified, kindUnknownError } from '../../cloudinary/identified-asset.ts'
import type { Asset, AssetEvent } from '../../ingest/event.ts'
import type { ProcessorContext } from '../../processor.ts'
import { ASSET_DELETED, byCurrentName, checkIdentity } from '../current-name.ts'
import { isStored } from '../stored-asset.ts'
import type { CurrentOrFormerName } from './asset-name.ts'
import { REMOVED, type ReferencedAsset, replaceReferences, updateReference } from './referenced-asset.ts'

/** A change of an asset, for the entries of a CMS that hold it. */
export class AssetChange {
  readonly kind: 'update' | 'delete'
  readonly assetId: string | undefined
  /** The name of the asset now, and the name that it lost. */
  readonly names: readonly CurrentOrFormerName[]
  readonly cloudName?: string
  /** The asset in Cloudinary; undefined if it is deleted. */
  readonly state: AssetState | undefined

  constructor({ assetId, names, cloudName }: ReferencedAsset, state?: AssetState) {
    this.kind = state ? 'update' : 'delete'
    this.assetId = assetId
    this.names = names
    if (cloudName !== undefined) this.cloudName = cloudName
    this.state = state
  }

  /** Returns whether JSON content holds the asset, at any depth. */
  isIn(content: unknown): boolean {
    let isFound = false
    replaceReferences(content, this, (object) => {
      isFound = true
      return object
    })
    return isFound
  }

  /** Returns JSON content with the asset's objects updated, or removed if it is deleted; the same if neither. */
  applyTo<Content>(content: Content): Content {
    const { state, names } = this
    return replaceReferences(content, this, (object) =>
      state ? updateReference(object, state, names) : REMOVED
    ) as Content
  }
}

type Cloudinary = Pick<ProcessorContext['cloudinary'], 'currentState' | 'identify' | 'locate'>

/**
 * Reads the change that an event stands for, or returns a note if there is nothing to do. A notification only
 * says which asset to look at: what is written is its state in Cloudinary now.
 *
 * @throws {CloudinaryError} ASSET_KIND_UNKNOWN if the event states neither kind nor asset id
 */
export async function changeOf(event: AssetEvent, cloudinary: Cloudinary): Promise<AssetChange | string> {
  const { asset, type } = event
  if (asset === null) return 'skipped: the notification names no asset'
  if (!isStored(asset)) return `skipped: Cloudinary does not store assets of type ${asset.deliveryType}`
  return type === 'delete' || type === 'delete_by_token'
    ? deletionOf(event, asset, cloudinary)
    : updateOf(event, asset, cloudinary)
}

async function deletionOf(
  { occurredAt, environment: cloudName }: AssetEvent,
  asset: Asset,
  cloudinary: Cloudinary
): Promise<AssetChange | string> {
  const { assetId } = asset
  // the kind cannot be looked up any more: only objects with the asset id can be recognised
  if (!isIdentified(asset)) {
    if (assetId === undefined) throw kindUnknownError(asset)
    return new AssetChange({ assetId, names: [] })
  }
  const found = await cloudinary.currentState(asset).catch((error: unknown) => {
    if (isNotFound(error)) return undefined
    throw error
  })
  if (found) return 'skipped: an asset with this name exists again'
  return new AssetChange({ assetId, names: [lostName(asset, occurredAt)], cloudName })
}

async function updateOf(
  event: AssetEvent,
  asset: Asset,
  cloudinary: Cloudinary
): Promise<AssetChange | string> {
  let change: AssetChange | undefined
  const read = async (named: IdentifiedAsset) => {
    const state = await cloudinary.currentState(named)
    checkIdentity(named, state)
    const { public_id: publicId, resource_type: resourceType, type: deliveryType } = state
    const current = { publicId, resourceType, deliveryType }
    const names = [current, ...namesLostIn(event, current)]
    change = new AssetChange({ assetId: state.asset_id, names, cloudName: event.environment }, state)
    return ''
  }
  try {
    const note = await byCurrentName(cloudinary, asset, read)
    return change ?? note
  } catch (error) {
    if (isNotFound(error)) return ASSET_DELETED
    throw error
  }
}

function namesLostIn(
  { type, payload, occurredAt }: AssetEvent,
  current: CurrentOrFormerName
): CurrentOrFormerName[] {
  const { from_public_id: publicId, type: deliveryType = current.deliveryType } = payload
  if (type !== 'rename' || typeof publicId !== 'string') return []
  return [lostName({ ...current, publicId, deliveryType: String(deliveryType) }, occurredAt)]
}

const lostName = (
  { publicId, resourceType, deliveryType }: CurrentOrFormerName,
  at: string
): CurrentOrFormerName => ({
  publicId,
  resourceType,
  deliveryType,
  until: Math.ceil(Date.parse(at) / 1000)
})
