import type { Body } from '../../app/testing/samples/sample-asset.ts'

export interface AssetIds {
  publicId?: string
  assetId?: string
}

/** The assets that a notification names: at the top level, in a list or in a map by public id. */
export function assetsOf(notification: Body | null): AssetIds[] {
  if (notification === null) return []
  const many = notification.resources ?? notification.assets
  if (Array.isArray(many)) return many.filter(isBody).map((each) => idsOf(each))
  if (isBody(many)) return Object.entries(many).map(([publicId, each]) => ({ ...idsOf(each), publicId }))
  const ids = idsOf(notification)
  return Object.keys(ids).length === 0 ? [] : [ids]
}

/** Who a notification says made the change, in words. */
export function makerOf(notification: Body | null): string {
  const context = notification?.notification_context
  const by = isBody(context) ? context.triggered_by : undefined
  if (!isBody(by)) return 'not said in the body'
  return by.source === 'api' ? `API key ${by.id}` : `${by.source} ${by.id}`
}

function idsOf(value: unknown): AssetIds {
  if (!isBody(value)) return {}
  const publicId = value.public_id ?? value.from_public_id
  return {
    ...(typeof publicId === 'string' && { publicId }),
    ...(typeof value.asset_id === 'string' && { assetId: value.asset_id })
  }
}

function isBody(value: unknown): value is Body {
  return typeof value === 'object' && value !== null
}
