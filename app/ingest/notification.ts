import { type AssetKind, kindInDeliveryUrl } from './delivery-url.ts'
import { type Asset, type AssetEvent, type EventType, NOTIFICATION_TYPES, type Origin } from './event.ts'
import { bodyEventId, digest, uploadEventIds } from './event-identity.ts'

/** Deeper than any notification; what is deeper is kept as text, since it could not be written as JSON again. */
const MAXIMUM_DEPTH = 64

/** How far Cloudinary's clock may be ahead of ours, in milliseconds. */
const MAXIMUM_AHEAD_MS = 300_000

/** A bulk call takes up to 1,000 assets; a list many times longer is none of theirs, and is kept whole. */
const MAXIMUM_ENTRIES = 20_000

/** Of a type nobody knows, so much is kept, in characters. */
const LONGEST_TYPE = 100

/** Lists of what was made from an asset, in `eager` and `explode`; each entry has a delivery URL. */
const DERIVED = ['eager', 'image_infos']

/** Maximum number of their entries that are searched for a delivery URL: all are about the same asset. */
const MAXIMUM_DERIVED = 10

export interface NotificationContext {
  /** The cloud whose secret verified the notification. */
  environment: string
  /** Tells whether an API key is the one this listener calls that cloud with. */
  isOwnKey: (apiKey: string) => boolean
  receivedAt: Date
  /** `X-Cld-Timestamp`: Unix time, in seconds. */
  signedAt: number
  traceId?: string
}

type Fields = Record<string, unknown>

/**
 * Turns the body of an authentic notification into events, one for each asset it is about. Never throws:
 * whatever is not understood becomes an event of type `unknown`.
 *
 * The same body always gives the same ids. An upload is named by asset, version and etag, so that a resend, and a
 * search for what was never sent, name the same event; everything else by the bytes of the body. The
 * signature and its timestamp are not part of it: whether a retry is signed anew is not known.
 */
export function toEvents(body: Uint8Array, context: NotificationContext): AssetEvent[] {
  const notification = parse(body)
  const { notification_type: named } = notification
  const notificationType = typeof named === 'string' ? named.slice(0, LONGEST_TYPE) : null
  const type: EventType = isKnown(notificationType) ? notificationType : 'unknown'
  const bodyDigest = digest(context.environment, body)
  const common = {
    type,
    notificationType,
    environment: context.environment,
    receivedAt: context.receivedAt.toISOString(),
    origin: originOf(notification, context.isOwnKey),
    ...(context.traceId && { traceId: context.traceId })
  }
  const payloads = splitByAsset(notification)
  return payloads.map((payload, index) => {
    const asset = assetOf(payload)
    // uploads come alone; were there several in one body, nothing promises that they differ in it
    const isUpload = type === 'upload' && payloads.length === 1
    const [uploadId] = isUpload ? uploadEventIds(context.environment, uploadNameOf(payload, asset)) : []
    const id = uploadId ?? bodyEventId(bodyDigest, index)
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
      // a time from the future would block for good whatever only moves forward
      occurredAt: new Date(
        Math.min(statedAt ?? signedAtMs, context.receivedAt.getTime() + MAXIMUM_AHEAD_MS)
      ).toISOString(),
      payload
    }
  })
}

function parse(body: Uint8Array): Fields {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    return { body: Buffer.from(body).toString('base64'), encoding: 'base64' }
  }
  try {
    const value: unknown = JSON.parse(text)
    if (isFields(value) && !isDeeperThan(value, MAXIMUM_DEPTH)) return value
  } catch {
    // not JSON: kept as text below
  }
  return { body: text, encoding: 'utf8' }
}

function isDeeperThan(root: object, maximum: number): boolean {
  let level: object[] = [root]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === maximum) return true
    level = level.flatMap((parent) => Object.values(parent).filter((child) => child instanceof Object))
  }
  return false
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isKnown = (type: string | null): type is Exclude<EventType, 'unknown'> =>
  NOTIFICATION_TYPES.some((known) => known === type)

/**
 * Cloudinary has three shapes: one asset's fields beside the notification's own, `resources` (in
 * `proof_status_changed`: `assets`) as an array, and `resources` as a map by public id. The shape decides, not
 * the type, so that new types are split as well.
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
  const isSplit = entries.length > 0 && entries.length <= MAXIMUM_ENTRIES
  return isSplit ? entries.map((entry) => ({ ...shared, ...entry })) : [notification]
}

function assetOf(payload: Fields): Asset | null {
  const assetId = text(payload.asset_id)
  // a rename names the asset twice; from here on it goes by its new name, and its new type where that changes too
  const publicId = text(payload.public_id) ?? text(payload.to_public_id)
  if (!assetId && !publicId) return null
  const kind = kindOf(payload, publicId)
  const version = Number(text(payload.version) ?? Number.NaN)
  return {
    ...(assetId && { assetId }),
    ...(publicId && { publicId }),
    ...kind,
    ...(Number.isSafeInteger(version) && { version })
  }
}

/** What the fields state, and what a delivery URL states of the rest. */
function kindOf(payload: Fields, publicId: string | undefined): Partial<AssetKind> {
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
    return Array.isArray(list) ? list.slice(0, MAXIMUM_DERIVED).filter(isFields) : []
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

/** What events must share to be kept in order; undefined where an event stands alone. */
function groupKey(asset: Asset | null, payload: Fields): string | undefined {
  if (asset?.assetId) return `asset ${asset.assetId}`
  if (asset?.publicId) return `public id ${asset.publicId}`
  // folders contain each other, so all their events are kept in order together
  if (payload.folder_path !== undefined || payload.from_path !== undefined) return 'folders'
  return undefined
}

function originOf(notification: Fields, isOwnKey: (apiKey: string) => boolean): Origin {
  const context = isFields(notification.notification_context) ? notification.notification_context : {}
  const by = isFields(context.triggered_by) ? context.triggered_by : {}
  const id = text(by.id) ?? null
  return { source: text(by.source) ?? null, id, own: id !== null && isOwnKey(id) }
}

/** When it happened, as far as the notification itself says; milliseconds since the epoch. */
function statedTime(payload: Fields, type: EventType, asset: Asset | null): number | undefined {
  const origin = isFields(payload.notification_context) ? payload.notification_context : {}
  return (
    instant(origin.triggered_at) ??
    instant(payload.timestamp) ??
    // an upload's version is the Unix time of the upload
    (type === 'upload' ? instant(asset?.version) : undefined)
  )
}

/** Milliseconds of a time written as text or as Unix time in seconds, milliseconds or microseconds. */
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
  // from 2001 to 2286: ten digits of seconds, as the signature's timestamp
  return milliseconds >= 1e12 && milliseconds < 1e13 ? Math.trunc(milliseconds) : undefined
}

function text(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' ? value : undefined
}
