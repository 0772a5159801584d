import type { AssetState } from '../../app/cloudinary/client.ts'
import type {
  AssetRows,
  Claim,
  Name,
  PutResult,
  RowFilter
} from '../../app/processors/database-sync/sync-rows.ts'

interface MemoryRow {
  claim: Claim
  asset: AssetState
  observedAt: string
  placedAt: string
}

const claimOf = ({ asset_id, public_id, resource_type, type }: AssetState): Claim => ({
  assetId: asset_id,
  publicId: public_id,
  resourceType: resource_type,
  deliveryType: type
})

const hasName = (claim: Claim, { publicId, resourceType, deliveryType }: Name) =>
  claim.publicId === publicId && claim.resourceType === resourceType && claim.deliveryType === deliveryType

/** In-memory model of `AssetRows` for one environment, for tests with thousands of runs. */
export class MemoryRows implements Pick<AssetRows, 'now' | 'put' | 'claims' | 'remove' | 'clear'> {
  readonly rows = new Map<string, MemoryRow>()
  readonly #clock: () => string

  constructor(clock = ticks()) {
    this.#clock = clock
  }

  async now(): Promise<string> {
    return this.#clock()
  }

  async put(_environment: string, asset: AssetState, observedAt: string): Promise<PutResult> {
    const claim = claimOf(asset)
    const others = [...this.rows.values()].filter(
      (row) => row.claim.assetId !== claim.assetId && hasName(row.claim, claim)
    )
    for (const row of others) if (row.observedAt <= observedAt) this.rows.delete(row.claim.assetId)
    const before = this.rows.get(claim.assetId)
    const isOutdated = before !== undefined && before.observedAt > observedAt
    if (isOutdated || others.some((row) => row.observedAt > observedAt)) {
      return { outcome: 'outdated', isConfirmed: false }
    }
    const isPlaced = before === undefined || !hasName(before.claim, claim)
    const placedAt = isPlaced ? this.#clock() : before.placedAt
    this.rows.set(claim.assetId, { claim, asset, observedAt, placedAt })
    return { outcome: before === undefined ? 'inserted' : 'updated', isConfirmed: observedAt > placedAt }
  }

  async claims(_environment: string, filter: RowFilter): Promise<Claim[]> {
    const all = [...this.rows.values()].map(({ claim }) => claim)
    if ('assetId' in filter) return all.filter(({ assetId }) => assetId === filter.assetId)
    const { publicId, resourceType } = filter
    return all.filter(
      (claim) => claim.publicId === publicId && claim.resourceType === (resourceType ?? claim.resourceType)
    )
  }

  async remove(_environment: string, claim: Claim, observedAt: string): Promise<boolean> {
    return this.#remove((row) => row.claim.assetId === claim.assetId && hasName(row.claim, claim), observedAt)
  }

  async clear(
    _environment: string,
    name: Name,
    observedAt: string,
    which: 'all' | 'unconfirmed'
  ): Promise<boolean> {
    return this.#remove(
      (row) => hasName(row.claim, name) && (which === 'all' || row.observedAt <= row.placedAt),
      observedAt
    )
  }

  #remove(isMeant: (row: MemoryRow) => boolean, observedAt: string): boolean {
    const wrong = [...this.rows.values()].filter((row) => isMeant(row) && row.observedAt <= observedAt)
    for (const { claim } of wrong) this.rows.delete(claim.assetId)
    return wrong.length > 0
  }
}

/** A clock that never shows the same time twice. */
function ticks(): () => string {
  let count = 0
  return () => String(++count).padStart(8, '0')
}
