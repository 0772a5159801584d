import fc from 'fast-check'
import type { AssetState } from '../../app/cloudinary/client.ts'
import { CloudinaryError } from '../../app/cloudinary/cloudinary-error.ts'
import {
  type IdentifiedAsset,
  isIdentified,
  kindUnknownError
} from '../../app/cloudinary/identified-asset.ts'
import type { Asset } from '../../app/ingest/event.ts'
import { toEvents } from '../../app/ingest/notification.ts'
import type { EventOfAsset } from '../../app/processors/database-sync/follow.ts'
import { COLLEAGUE, LOCAL_CLOUDINARY } from '../../app/testing/defaults.ts'
import { uploadFields } from '../../dev/cloudinary/asset-view.ts'
import { Changes, type Tools } from '../../dev/cloudinary/changes.ts'
import { Cloud } from '../../dev/cloudinary/cloud.ts'

const ORIGIN = { source: 'api', id: COLLEAGUE.apiKey } as const

const NOT_FOUND = new CloudinaryError('CLOUDINARY_NOT_FOUND', 'read asset: 404', { kind: 'permanent' }, 404)

/** Cloudinary's stand-in without its server: who changes something gets the events that it would notify. */
export class SilentCloudinary {
  readonly cloud = new Cloud(LOCAL_CLOUDINARY)
  readonly #environment: string
  readonly #bodies: string[] = []
  readonly #changes = new Changes(this.cloud, ORIGIN, {
    clock: Date.now,
    notifier: { send: (_cloud: Cloud, body: string) => void this.#bodies.push(body) },
    eager: { failure: () => undefined, videoSyncLimitBytes: 0 }
  } as unknown as Tools)

  constructor(environment: string = LOCAL_CLOUDINARY.cloudName) {
    this.#environment = environment
  }

  change(make: (changes: Changes) => unknown): EventOfAsset[] {
    try {
      make(this.#changes)
    } catch {
      // refused: nothing has changed
    }
    return this.#bodies.splice(0).flatMap(
      (body) =>
        toEvents(Buffer.from(body), {
          environment: this.#environment,
          isOwnKey: () => false,
          receivedAt: new Date(),
          signedAt: 1_780_000_000
        }) as EventOfAsset[]
    )
  }

  async currentState({ publicId = '', resourceType, deliveryType }: Asset): Promise<AssetState> {
    const kind = { ...(resourceType && { resourceType }), ...(deliveryType && { type: deliveryType }) }
    const asset = this.cloud.assets.find(publicId, kind)
    if (asset) return structuredClone(uploadFields(asset, this.cloud)) as AssetState
    throw NOT_FOUND
  }

  /** Its notifications state the kind, or name an asset that is there. */
  async identify(asset: Asset): Promise<IdentifiedAsset> {
    if (isIdentified(asset)) return asset
    const found = this.all().find(({ asset_id }) => asset_id === asset.assetId)
    if (!found) throw asset.assetId ? NOT_FOUND : kindUnknownError(asset)
    return { publicId: found.public_id, resourceType: found.resource_type, deliveryType: found.type }
  }

  /** All its assets, as they are to be in the table. */
  all(): AssetState[] {
    return this.cloud.assets.all().map((asset) => uploadFields(asset, this.cloud) as AssetState)
  }
}

/** As older notifications are: without the asset's id, and so with a group of its name. */
export function older(event: EventOfAsset): EventOfAsset {
  const { assetId: _, ...asset } = event.asset
  return { ...event, asset, group: `public id ${asset.publicId}` }
}

/** What is compared of assets: which there are, what they are called, and what they are like. */
export const comparable = (assets: readonly Record<string, unknown>[]) =>
  assets
    .map(({ asset_id, public_id, type, tags, context }) => ({ asset_id, public_id, type, tags, context }))
    .toSorted((a, b) => (String(a.asset_id) < String(b.asset_id) ? -1 : 1))

/** What people do to three names. */
const NAMES = ['a', 'b', 'c'] as const

export interface Act {
  do: string
  name: string
  to: string
  value: string
  toType: string
}

const name = fc.constantFrom('a', 'b', 'c')

export const act: fc.Arbitrary<Act> = fc.record({
  // mostly what leaves rows behind
  do: fc.oneof(
    { weight: 4, arbitrary: fc.constant('upload') },
    { weight: 3, arbitrary: fc.constant('overwrite') },
    { weight: 3, arbitrary: fc.constant('destroy') },
    { weight: 2, arbitrary: fc.constant('rename') },
    { weight: 2, arbitrary: fc.constantFrom('tag', 'context', 'retype', 'destroy private') }
  ),
  name,
  to: name,
  value: fc.constantFrom('x', 'y', 'z'),
  toType: fc.constantFrom('upload', 'private')
})

export function perform({ do: what, name, to, value, toType }: Act): (changes: Changes) => unknown {
  switch (what) {
    case 'upload':
      return (changes) => changes.upload({ publicId: name, tags: [value] })
    case 'tag':
      return (changes) => changes.changeTags('replace', [...NAMES], [value])
    case 'context':
      return (changes) => changes.changeContext(name, () => ({ alt: value }))
    case 'rename':
      return (changes) => changes.rename(name, to)
    case 'overwrite':
      return (changes) => name !== to && changes.rename(name, to, { overwrite: true })
    case 'retype':
      return (changes) =>
        changes.rename(name, to, { type: toType === 'upload' ? 'private' : 'upload', toType })
    case 'destroy private':
      return (changes) => changes.destroy(name, { type: 'private' })
    default:
      return (changes) => changes.destroy(name)
  }
}
