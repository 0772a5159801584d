import { type AssetKind, kindInDeliveryUrl } from './delivery-url.ts'
import { type Asset, type AssetEvent, type EventType, NOTIFICATION_TYPES, type Origin } from './event.ts'
import { assetGroupKey, bodyEventId, digest, uploadEventIds } from './event-identity.ts'
import { MAX_AHEAD_SECONDS } from './signature.ts'

/**
 * Maximum nesting depth of a JSON body. A deeper body is kept as text, since writing it as JSON may overflow
 * the stack.
 */
const MAX_DEPTH = 64

/** Maximum number of assets by which a notification is split; one with more becomes one event. */
const MAX_ENTRIES = 20_000

/** Maximum length of `notificationType`, in characters. */
const MAX_TYPE_LENGTH = 100

/** Lists of derived assets, in `eager` and `explode`. Each entry has a delivery URL. */
const DERIVED = ['eager', 'image_infos']

/** Maximum number of entries that are searched for a delivery URL. All are derived from the same asset. */
const MAX_DERIVED = 10

export interface NotificationContext {
  /** Name of the cloud whose secret verified the notification. */
  environment: string
  /** Returns whether the listener calls the cloud with this API key. */
  isOwnKey: (apiKey: string) => boolean
  receivedAt: Date
  /** `X-Cld-Timestamp`: Unix time, in seconds. */
  signedAt: number
  source?: AssetEvent['source']
  traceId?: string
}

type Fields = Record<string, unknown>

const UTF8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Converts the body of an authentic notification into one event per asset. Never throws: an unreadable body
 * becomes an event of type `unknown`.
 *
 * The same body always gives the same ids. The id of an upload is derived from asset, version and etag, so
 * that a resend and a search by `reconcile` give the same id. Other ids are derived from the bytes of the
 * body. Signature and timestamp are not part of an id, since Cloudinary may sign retries again.
 */
export function toEvents(body: Uint8Array, context: NotificationContext): AssetEvent[] {
  const notification = parse(body)
  const { notification_type: statedType } = notification
  const notificationType = typeof statedType === 'string' ? statedType.slice(0, MAX_TYPE_LENGTH) : null
  const type: EventType = isKnown(notificationType) ? notificationType : 'unknown'
  let hashed: string | undefined
  const bodyDigest = () => {
    hashed ??= digest(context.environment, body)
    return hashed
  }
  const common = {
    type,
    notificationType,
    environment: context.environment,
    receivedAt: context.receivedAt.toISOString(),
    origin: originOf(notification, context.isOwnKey),
    ...(context.source && { source: context.source }),
    ...(context.traceId && { traceId: context.traceId })
  }
  const payloads = splitByAsset(notification)
  return payloads.map((payload, index) => {
    const asset = assetOf(payload)
    // several uploads in one body, which Cloudinary does not send, might have the same id
    const isUpload = type === 'upload' && payloads.length === 1
    const [uploadId] = isUpload ? uploadEventIds(context.environment, uploadNameOf(payload, asset)) : []
    const id = uploadId ?? bodyEventId(bodyDigest(), index)
    const statedAt = statedTime(payload, type, asset)
    const isUnique =
      uploadId !== undefined || statedAt !== undefined || text(payload.request_id) !== undefined
    const signedAtMs = context.signedAt * 1000
    return {
      id,
      ...common,
      ...(!isUnique && { signedAt: new Date(signedAtMs).toISOString() }),
      asset,
      group: digest(context.environment, groupKey(asset, payload) ?? id),
      // a time far in the future would block processors whose state only moves forward
      occurredAt: new Date(
        Math.min(statedAt ?? signedAtMs, context.receivedAt.getTime() + MAX_AHEAD_SECONDS * 1000)
      ).toISOString(),
      payload
    }
  })
}

function parse(body: Uint8Array): Fields {
  let text: string
  try {
    text = UTF8.decode(body)
  } catch {
    return { body: Buffer.from(body).toString('base64'), encoding: 'base64' }
  }
  try {
    const value: unknown = JSON.parse(text)
    if (isFields(value) && !isDeeperThan(value, MAX_DEPTH)) return value
  } catch {
    // not JSON: return it as text
  }
  return { body: text, encoding: 'utf8' }
}

function isDeeperThan(parent: object, maximum: number): boolean {
  if (maximum === 0) return true
  for (const child of Object.values(parent)) {
    if (typeof child === 'object' && child !== null && isDeeperThan(child, maximum - 1)) return true
  }
  return false
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isKnown = (type: string | null): type is Exclude<EventType, 'unknown'> =>
  NOTIFICATION_TYPES.some((known) => known === type)

/**
 * Cloudinary's notifications have three shapes: the fields of one asset at the top level, `resources` (in
 * `proof_status_changed`: `assets`) as an array, and `resources` as a map by public id. Splits by shape
 * rather than by type, so that new types work too.
 */
function splitByAsset(notification: Fields): Fields[] {
  const collection = 'resources' in notification ? 'resources' : 'assets'
  const { [collection]: resources, ...shared } = notification
  const entries = Array.isArray(resources)
    ? resources.map((entry: unknown) => (isFields(entry) ? entry : { resource: entry }))
    : isFields(resources)
      ? Object.entries(resources).map(([publicId, entry]) => ({
          public_id: publicId,
          ...(isFields(entry) ? entry : { resource: entry })
        }))
      : []
  const isSplit = entries.length > 0 && entries.length <= MAX_ENTRIES
  return isSplit ? entries.map((entry) => ({ ...shared, ...entry })) : [notification]
}

function assetOf(payload: Fields): Asset | null {
  const assetId = text(payload.asset_id)
  // a rename has the old and the new name (and type); use the new ones
  const publicId = text(payload.public_id) ?? text(payload.to_public_id)
  if (!assetId && !publicId) return null
  const kind = statedKind(payload, publicId)
  const version = Number(text(payload.version) ?? Number.NaN)
  return {
    ...(assetId && { assetId }),
    ...(publicId && { publicId }),
    ...kind,
    ...(Number.isSafeInteger(version) && { version })
  }
}

/** Reads the kind from the fields; what the fields lack, from a delivery URL. */
function statedKind(payload: Fields, publicId: string | undefined): Partial<AssetKind> {
  const resourceType = text(payload.resource_type)
  const deliveryType = text(payload.to_type) ?? text(payload.type)
  const stated = { ...(resourceType && { resourceType }), ...(deliveryType && { deliveryType }) }
  if (publicId === undefined || (resourceType && deliveryType)) return stated
  for (const url of deliveryUrlsIn(payload)) {
    const kind = kindInDeliveryUrl(url, publicId)
    if (!kind) continue
    const agrees =
      (resourceType ?? kind.resourceType) === kind.resourceType &&
      (deliveryType ?? kind.deliveryType) === kind.deliveryType
    return agrees ? kind : stated
  }
  return stated
}

function* deliveryUrlsIn(payload: Fields): Generator<unknown, void, void> {
  const derived = DERIVED.flatMap((name) => {
    const list = payload[name]
    return Array.isArray(list) ? list.slice(0, MAX_DERIVED).filter(isFields) : []
  })
  for (const fields of [payload, ...derived]) {
    yield fields.secure_url
    yield fields.url
  }
}

const uploadNameOf = (payload: Fields, asset: Asset | null) => ({
  assetId: asset?.assetId,
  version: asset?.version,
  etag: text(payload.etag)
})

/** Returns the key of the message group; undefined if the event needs no ordering. */
function groupKey(asset: Asset | null, payload: Fields): string | undefined {
  if (asset?.assetId) return assetGroupKey(asset.assetId)
  if (asset?.publicId) return `public id ${asset.publicId}`
  // folders can be nested, so all folder events are processed in order
  if (payload.folder_path !== undefined || payload.from_path !== undefined) return 'folders'
  return undefined
}

function originOf(notification: Fields, isOwnKey: (apiKey: string) => boolean): Origin {
  const context = isFields(notification.notification_context) ? notification.notification_context : {}
  const actor = isFields(context.triggered_by) ? context.triggered_by : {}
  const id = text(actor.id) ?? null
  return { source: text(actor.source) ?? null, id, own: id !== null && isOwnKey(id) }
}

/** Reads the time of the change from the payload, in milliseconds since the epoch. */
function statedTime(payload: Fields, type: EventType, asset: Asset | null): number | undefined {
  const origin = isFields(payload.notification_context) ? payload.notification_context : {}
  return (
    instant(origin.triggered_at) ??
    instant(payload.timestamp) ??
    // an upload's version is the Unix time of the upload
    (type === 'upload' ? instant(asset?.version) : undefined)
  )
}

/** Parses a date string, or a Unix time in seconds, milliseconds or microseconds, into milliseconds. */
function instant(value: unknown): number | undefined {
  const written = typeof value === 'number' ? value : typeof value === 'string' ? Number(value) : undefined
  if (written === undefined) return undefined
  const milliseconds = Number.isNaN(written)
    ? Date.parse(value as string)
    : written >= 1e14
      ? written / 1000
      : written >= 1e11
        ? written
        : written * 1000
  // from 2001 to 2286: ten digits of seconds, like the signature's timestamp
  return milliseconds >= 1e12 && milliseconds < 1e13 ? Math.trunc(milliseconds) : undefined
}

function text(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' ? value : undefined
}
