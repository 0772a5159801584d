import type { AssetState } from '../../../../app/cloudinary/client.ts'
import type { CmsContext } from '../../../../app/listener.ts'
import { AssetChange } from '../../../../app/processors/cms-write-back/asset-change.ts'
import { memoryState } from '../../../../app/testing/memory-state.ts'
import { QUIET } from '../../../support/operator.ts'

const NAME = { resourceType: 'image', deliveryType: 'upload' }

/** An asset object as a CMS stores it. */
export const picked = (publicId: string, fields: object = {}) => ({
  public_id: publicId,
  resource_type: 'image',
  type: 'upload',
  tags: [] as string[],
  ...fields
})

/** The asset of {@link rename}, afterwards. */
export const STATE: AssetState = {
  asset_id: 'a1',
  public_id: 'shop/bag',
  resource_type: 'image',
  type: 'upload',
  tags: ['new']
}

/** The rename of `bag` to `shop/bag`, which has a tag. */
export const rename = new AssetChange(
  {
    assetId: 'a1',
    names: [
      { ...NAME, publicId: 'shop/bag' },
      { ...NAME, publicId: 'bag' }
    ]
  },
  STATE
)

/** The deletion of `bag`. */
export const deletion = new AssetChange({ assetId: 'a1', names: [{ ...NAME, publicId: 'bag' }] })

/** What the renamed asset looks like in the CMS. */
export const RENAMED = picked('shop/bag', { tags: ['new'] })

/** The context of one event. */
export function contextOf(
  signal = new AbortController().signal
): CmsContext & { entries: Map<string, string> } {
  const { state, entries } = memoryState()
  return {
    event: { id: 'e1', occurredAt: '2026-01-01T00:00:00Z' },
    log: QUIET,
    config: {} as CmsContext['config'],
    signal,
    state,
    entries
  }
}
