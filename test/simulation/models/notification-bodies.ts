import type { ChangePlan } from '../plan.ts'

export type Fields = Record<string, unknown>

/** An asset, in the fields of Cloudinary's APIs. */
export interface Asset {
  asset_id: string
  public_id: string
  resource_type: string
  type: string
  version: number
  etag: string
  tags: string[]
  /** The last change of tags. */
  tagChange: { added: string[]; removed: string[] }
  metadata: Fields
  context: Fields
  created_at: string
  uploaded_at: string
  last_updated: Record<string, string>
  previousMetadata?: Fields
  previousPublicId?: string
}

interface BodyOptions {
  cloud: string
  /** Since 2024 bodies name the author and the time of the change. */
  isModern: boolean
  number: number
  now: number
  variant: number
  author: { source: 'api' | 'ui'; id: string }
}

/** Types whose bodies have a request id and a time, whatever their age. */
const WITH_REQUEST: readonly ChangePlan['kind'][] = ['upload', 'rename']

/** Types whose bodies state neither resource type nor delivery type. */
const WITHOUT_KIND: readonly ChangePlan['kind'][] = ['eager', 'moderation']

/** Returns the body of a notification in one of Cloudinary's three shapes. */
export function bodyOf(kind: ChangePlan['kind'], assets: readonly Asset[], options: BodyOptions) {
  const { isModern, number, now, author, cloud } = options
  const hasRequest = WITH_REQUEST.includes(kind)
  const context = isModern && {
    // microseconds, unique
    notification_context: { triggered_at: String(now * 1000 + (number % 1000)), triggered_by: author },
    signature_key: `${cloud}-signature-key`
  }
  const body = {
    notification_type: kind,
    ...(hasRequest && { timestamp: new Date(now).toISOString(), request_id: `request-${number}` }),
    ...context,
    ...shaped(kind, assets, options)
  }
  return {
    body: Buffer.from(JSON.stringify(body)),
    isTimeless: !isModern && !hasRequest,
    statesOrigin: isModern
  }
}

function shaped(kind: ChangePlan['kind'], assets: readonly Asset[], { variant }: BodyOptions): Fields {
  const [asset] = assets
  switch (kind) {
    case 'upload': {
      const {
        last_updated: _,
        previousMetadata: __,
        previousPublicId: ___,
        tagChange: ____,
        ...flat
      } = asset!
      return flat
    }
    case 'rename': {
      const { asset_id, resource_type, type, public_id, previousPublicId } = asset!
      return { asset_id, resource_type, type, from_public_id: previousPublicId, to_public_id: public_id }
    }
    case 'resource_tags_changed':
      return {
        resources: assets.map((each) => ({ ...identityOf(each), ...each.tagChange }))
      }
    case 'delete':
      return { resources: assets.map((each) => ({ ...identityOf(each), version: each.version })) }
    case 'resource_metadata_changed':
      return byPublicId(assets, ({ previousMetadata = {}, metadata }) => ({
        previous_metadata: previousMetadata,
        new_metadata: metadata
      }))
    case 'resource_context_changed':
      return byPublicId(assets, ({ context }) => ({ added: context, removed: {}, updated: {} }))
    case 'create_folder':
      return { folder_path: `folder-${variant % 2}`, folder_name: `folder-${variant % 2}` }
    default: {
      const { asset_id, public_id } = asset!
      const isStated = !WITHOUT_KIND.includes(kind)
      return isStated ? identityOf(asset!) : { asset_id, public_id, moderation_status: 'approved' }
    }
  }
}

const identityOf = ({ asset_id, public_id, resource_type, type }: Asset): Fields => ({
  asset_id,
  public_id,
  resource_type,
  type
})

const byPublicId = (assets: readonly Asset[], describe: (asset: Asset) => Fields): Fields => ({
  resources: Object.fromEntries(
    assets.map((asset) => {
      const { public_id, ...identity } = identityOf(asset)
      return [String(public_id), { ...identity, ...describe(asset) }]
    })
  )
})
