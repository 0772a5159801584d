import type { AssetState } from '../../app/cloudinary/client.ts'
import type { Asset } from '../../app/cloudinary/event.ts'
import type { AssetRows, Claim } from '../../app/processors/database-sync/rows.ts'

interface MemoryRow {
  claim: Claim
  asset: AssetState
  observedAt: string
}

const claimOf = ({ asset_id, public_id, resource_type, type }: AssetState): Claim => ({
  assetId: asset_id,
  publicId: public_id,
  resourceType: resource_type,
  deliveryType: type
})

const hasName = (claim: Claim, { publicId, resourceType, deliveryType }: Asset) =>
  claim.publicId === publicId && claim.resourceType === resourceType && claim.deliveryType === deliveryType

/** The rows of one environment, in memory: what `AssetRows` does, said once more, for tests that need thousands of runs. */
export class MemoryRows implements Pick<AssetRows, 'now' | 'put' | 'claims' | 'remove'> {
  readonly rows = new Map<string, MemoryRow>()
  #ticks = 0

  async now(): Promise<string> {
    return String(++this.#ticks).padStart(8, '0')
  }

  async put(_environment: string, asset: AssetState, observedAt: string) {
    const claim = claimOf(asset)
    const others = [...this.rows.values()].filter(
      (row) => row.claim.assetId !== claim.assetId && hasName(row.claim, claim)
    )
    for (const row of others) if (row.observedAt <= observedAt) this.rows.delete(row.claim.assetId)
    const before = this.rows.get(claim.assetId)
    const isOutdated = before !== undefined && before.observedAt > observedAt
    if (isOutdated || others.some((row) => row.observedAt > observedAt)) return 'outdated'
    this.rows.set(claim.assetId, { claim, asset, observedAt })
    return before === undefined ? 'inserted' : 'updated'
  }

  async claims(_environment: string, asset: Asset): Promise<Claim[]> {
    const all = [...this.rows.values()].map(({ claim }) => claim)
    return all.filter((claim) =>
      asset.assetId === undefined ? hasName(claim, asset) : claim.assetId === asset.assetId
    )
  }

  async remove(claim: Claim, observedAt: string): Promise<boolean> {
    const row = this.rows.get(claim.assetId)
    if (row === undefined || !hasName(row.claim, claim) || row.observedAt > observedAt) return false
    return this.rows.delete(claim.assetId)
  }
}
