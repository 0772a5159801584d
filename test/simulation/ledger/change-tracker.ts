import type { AssetEvent } from '../../../app/ingest/event.ts'
import { RETRY_SPAN_MS } from '../../../app/ingest/event-identity.ts'
import type { Asset, Fields } from '../models/notification-bodies.ts'
import type { ChangeKind } from '../plan.ts'

/** One change of one asset in Cloudinary, and what became of it. */
export interface Change {
  name: string
  cloud: string
  type: ChangeKind
  assetId: string | undefined
  kind: string | undefined
  at: number
  isOwn: boolean
  /** When the listener's key was added to the secret. */
  ownKeySince: number
  /** The body names the author. */
  statesOrigin: boolean
  /** The body states no time, so the same bytes may report another change. */
  isTimeless: boolean
  body: string
  isAcknowledged: boolean
  /** It waits in a poll channel. */
  isInChannel: boolean
  /** Set for an upload: the name of its content. */
  upload: string | undefined
  /** By the processor: it succeeded, or the event was dead-lettered. */
  done: Set<string>
  eventIds: Set<string>
}

/** What the model of Cloudinary knows of a change when it happens. */
export interface NewChange {
  number: number
  cloud: string
  type: ChangeKind
  asset: Asset | undefined
  at: number
  isOwn: boolean
  ownKeySince: number
  statesOrigin: boolean
  isTimeless: boolean
  body: Buffer
}

/** The last retry is signed up to 40 minutes after the change. */
const LAST_RETRY_MS = 41 * 60_000

/** All changes in Cloudinary, and which change an event reports. */
export class ChangeTracker {
  readonly all: Change[] = []
  /** Changes by everything that an event may name them by. */
  readonly #lookup = new Map<string, Change>()
  readonly #ambiguous = new Set<Change>()
  readonly #byEventId = new Map<string, Change>()

  add({ number, cloud, type, asset, body, ...rest }: NewChange): Change {
    const change: Change = {
      name: `${type} ${number}${asset ? ` of ${asset.asset_id.slice(0, 4)}` : ''}`,
      cloud,
      type,
      assetId: asset?.asset_id,
      kind: asset?.resource_type,
      ...rest,
      body: body.toString(),
      isAcknowledged: false,
      isInChannel: false,
      upload: type === 'upload' ? uploadKey(cloud, asset!.asset_id, asset!.version, asset!.etag) : undefined,
      done: new Set(),
      eventIds: new Set()
    }
    this.all.push(change)
    if (!change.isTimeless) this.#lookup.set(statedKey(payloadOf(change), cloud), change)
    if (change.upload) this.#lookup.set(change.upload, change)
    return change
  }

  /** A delivery was signed, at a Unix time in seconds. */
  signed(changes: readonly Change[], timestamp: number): void {
    for (const change of changes.filter(({ isTimeless }) => isTimeless)) {
      const key = timelessKey(payloadOf(change), change.cloud, timestamp * 1000)
      const other = this.#lookup.get(key)
      // the same change of an asset twice in a second, in different bodies: an event does not tell which
      if (other && other !== change) this.#ambiguous.add(other).add(change)
      this.#lookup.set(key, change)
    }
  }

  /** Returns the change that an event reports. */
  of(event: AssetEvent): Change | undefined {
    const { payload, environment, signedAt } = event
    if (event.type === 'upload' && event.reconciled) {
      const { asset_id, version, etag } = payload
      return this.#lookup.get(uploadKey(environment, String(asset_id), Number(version), String(etag)))
    }
    if (event.reconciled) return undefined
    return signedAt === undefined
      ? this.#lookup.get(statedKey(payload, environment))
      : this.#lookup.get(timelessKey(payload, environment, Date.parse(signedAt)))
  }

  /** The same change of an asset happened twice in a second, so an event does not tell which it reports. */
  isAmbiguous(change: Change): boolean {
    return this.#ambiguous.has(change)
  }

  ofEvent(id: string): Change | undefined {
    return this.#byEventId.get(id)
  }

  /** Notes the id of an event that reports a change. Returns another change that has this id by mistake. */
  identify(change: Change, id: string): Change | undefined {
    const other = this.#byEventId.get(id)
    this.#byEventId.set(id, other ?? change)
    change.eventIds.add(id)
    return other === undefined || other === change || areOne(other, change) ? undefined : other
  }

  /** The changes that a search for an upload finds: the same content again within a second is one event. */
  ofUpload(cloud: string, { asset_id, version, etag }: Asset): Change[] {
    const key = uploadKey(cloud, asset_id, version, etag)
    return this.all.filter(({ upload }) => upload === key)
  }
}

/** Whether two changes may be one event: the documented limits. */
export function areOne(a: Change, b: Change): boolean {
  if (a.upload !== undefined) return a.upload === b.upload
  const isNear = Math.abs(a.at - b.at) <= RETRY_SPAN_MS + LAST_RETRY_MS
  const mayBeSame = a.isTimeless && b.isTimeless && isNear && a.cloud === b.cloud && a.assetId === b.assetId
  // a body may report other assets too
  return mayBeSame && JSON.stringify(payloadOf(a)) === JSON.stringify(payloadOf(b))
}

const uploadKey = (cloud: string, assetId: string, version: number, etag: string) =>
  `upload ${cloud} ${assetId} ${version} ${etag}`

function statedKey({ request_id, notification_context: context, asset_id }: Fields, cloud: string): string {
  return `stated ${cloud} ${request_id ?? (context as Fields | undefined)?.triggered_at} ${asset_id}`
}

/** Distinguishes changes of an asset that were signed within one second by what they changed. */
function timelessKey(
  { notification_type, asset_id, ...fields }: Fields,
  cloud: string,
  signedAt: number
): string {
  const {
    added,
    removed,
    new_metadata,
    folder_path,
    moderation_status,
    previous_metadata,
    version,
    public_id
  } = fields
  const what = JSON.stringify([
    added,
    removed,
    new_metadata,
    previous_metadata,
    folder_path,
    moderation_status,
    version,
    public_id
  ])
  return `timeless ${cloud} ${notification_type} ${asset_id} ${what} ${signedAt}`
}

/** Returns the part of a body that is about the asset of a change. */
function payloadOf({ body, assetId }: Change): Fields {
  const { resources, ...shared } = JSON.parse(body) as Fields & { resources?: Record<string, Fields> }
  const entries = Object.entries(resources ?? {}).map(([name, entry]) => ({ public_id: name, ...entry }))
  return { ...shared, ...entries.find((entry) => (entry as Fields).asset_id === assetId) }
}
