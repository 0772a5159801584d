import { randomUUID } from 'node:crypto'
import type { AccessRule, Asset, Context, Metadata, Moderation } from './asset-store.ts'
import { deliveryUrls, uploadFields } from './asset-view.ts'
import type { Cloud } from './cloud.ts'
import { isoMicroseconds, isoOffset, isoSeconds } from './times.ts'

/** The author of a change: an API key, or a person in the Console. */
export interface Origin {
  source: 'api' | 'ui'
  id: string
}

export type Notification = { notification_type: string } & Record<string, unknown>

export interface EnvelopeOptions {
  origin: Origin
  now: number
  signatureKey: string
  /** Uses the format of before 2024. */
  usesOldFormat?: boolean
}

/** Types whose notifications have a timestamp and a request id. */
const STAMPED = ['upload', 'rename', 'eager']

/**
 * Adds the common fields of notifications: author and time of the change, and the key that signs. Old
 * notifications have none of these, and `rename` and `delete` also lack the kind of the asset.
 */
export function envelope(
  { notification_type, ...body }: Notification,
  { origin, now, signatureKey, usesOldFormat = false }: EnvelopeOptions
): Notification {
  const stamp = { timestamp: isoOffset(now), request_id: randomUUID().replaceAll('-', '') }
  const isKindless = usesOldFormat && ['rename', 'delete'].includes(notification_type)
  return {
    notification_type,
    ...(STAMPED.includes(notification_type) && stamp),
    ...(isKindless ? withoutKind(body) : body),
    ...(notification_type.endsWith('_changed') && { source: origin.source }),
    ...(!usesOldFormat && {
      notification_context: { triggered_at: isoMicroseconds(now), triggered_by: { ...origin } },
      signature_key: signatureKey
    })
  }
}

type Fields = Record<string, unknown>

function withoutKind({ resource_type, type, resources, ...body }: Fields): Fields {
  return { ...body, ...(Array.isArray(resources) && { resources: resources.map(withoutKind) }) }
}

/** Builds the test notification of a trigger. Its type and the trigger id in it are assumptions. */
export const testNotification = (
  { id, event_type }: { id: string; event_type: string },
  sample: object,
  options: EnvelopeOptions
): Notification => envelope({ notification_type: 'test', trigger_id: id, event_type, ...sample }, options)

export function uploadNotification(
  asset: Asset,
  cloud: Cloud,
  extra: { existing?: true; overwritten?: true; api_key?: string }
): Notification {
  return { notification_type: 'upload', ...uploadFields(asset, cloud), ...extra }
}

const identityOf = (asset: Asset): Record<string, unknown> => ({
  asset_id: asset.assetId,
  public_id: asset.publicId,
  resource_type: asset.resourceType,
  type: asset.type
})

export interface TagsChange {
  asset: Asset
  added: string[]
  removed: string[]
}

export function tagsNotification(changes: TagsChange[]): Notification {
  return {
    notification_type: 'resource_tags_changed',
    resources: changes.map(({ asset, added, removed }) => ({ ...identityOf(asset), added, removed }))
  }
}

export interface MetadataChange {
  asset: Asset
  previous: Metadata
}

/** Maps public IDs to all metadata of each asset, not only the changed fields. */
export function metadataNotification(changes: MetadataChange[]): Notification {
  return {
    notification_type: 'resource_metadata_changed',
    resources: byPublicId(changes, ({ asset, previous }) => ({
      previous_metadata: previous,
      new_metadata: asset.metadata
    }))
  }
}

export interface ContextChange {
  asset: Asset
  previous: Context
}

export function contextNotification(changes: ContextChange[]): Notification {
  return {
    notification_type: 'resource_context_changed',
    resources: byPublicId(changes, ({ asset: { context }, previous }) => ({
      added: pairs(context, (name) => !(name in previous)),
      removed: pairs(previous, (name) => !(name in context)),
      updated: pairs(context, (name) => name in previous && previous[name] !== context[name])
    }))
  }
}

const pairs = (context: Context, wanted: (name: string) => boolean) =>
  Object.entries(context)
    .filter(([name]) => wanted(name))
    .map(([name, value]) => ({ name, value }))

function byPublicId<T extends { asset: Asset }>(changes: T[], describe: (change: T) => object): object {
  return Object.fromEntries(
    changes.map((change) => {
      const { public_id, ...identity } = identityOf(change.asset)
      return [change.asset.publicId, { ...describe(change), ...identity }]
    })
  )
}

export function renameNotification(asset: Asset, from: { publicId: string; type: string }): Notification {
  const { public_id, ...identity } = identityOf(asset)
  return {
    notification_type: 'rename',
    ...identity,
    from_public_id: from.publicId,
    to_public_id: public_id,
    ...(from.type !== asset.type && { type: from.type, to_type: asset.type })
  }
}

export function deleteNotification(assets: Asset[]): Notification {
  return {
    notification_type: 'delete',
    resources: assets.map((asset) => ({ ...identityOf(asset), version: asset.version }))
  }
}

export function moveNotification(asset: Asset, from: string): Notification {
  return {
    notification_type: 'move',
    resources: byPublicId([{ asset }], () => ({
      from_asset_folder: from,
      to_asset_folder: asset.assetFolder,
      display_name: asset.displayName
    }))
  }
}

export function displayNameNotification(asset: Asset, previous: string): Notification {
  return {
    notification_type: 'resource_display_name_changed',
    resources: byPublicId([{ asset }], () => ({
      previous_display_name: previous,
      new_display_name: asset.displayName,
      asset_folder: asset.assetFolder
    }))
  }
}

export function accessControlNotification(asset: Asset, previous: AccessRule[]): Notification {
  return {
    notification_type: 'access_control_changed',
    resources: [
      {
        ...identityOf(asset),
        previous_access_control: previous,
        new_access_control: asset.accessControl
      }
    ]
  }
}

/** Builds a `moderation` notification, without resource type and type like real ones. */
export function moderationNotification(asset: Asset, cloud: Cloud, decision: Moderation): Notification {
  return {
    notification_type: 'moderation',
    asset_id: asset.assetId,
    public_id: asset.publicId,
    uploaded_at: isoSeconds(asset.uploadedAt),
    version: asset.version,
    ...deliveryUrls(asset, cloud),
    etag: asset.etag,
    moderation_status: decision.status,
    moderation_kind: decision.kind,
    moderation_updated_at: decision.updated_at
  }
}

/** Builds an `eager` notification, without resource type and type like real ones. */
export function eagerNotification(asset: Asset, batchId: string, eager: object[]): Notification {
  return {
    notification_type: 'eager',
    eager,
    batch_id: batchId,
    asset_id: asset.assetId,
    public_id: asset.publicId
  }
}
