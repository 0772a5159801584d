import type { z } from 'zod'
import type { EventType, KnownType } from './event-types.ts'
import type { PAYLOADS } from './payloads/payloads.ts'

export { EVENT_TYPES, type EventType, NOTIFICATION_TYPES, OWN_TYPES } from './event-types.ts'

/** The asset of a notification. Older notifications leave out some fields. */
export interface Asset {
  /** Cloudinary's immutable id of the asset, 32 hexadecimal digits. */
  assetId?: string
  publicId?: string
  /** `image`, `video` or `raw`. Missing if no field or delivery URL of the notification states it. */
  resourceType?: string
  /** `upload`, `private`, `authenticated`, … Missing like `resourceType`. */
  deliveryType?: string
  /** Unix time, in seconds, of the asset's last upload. */
  version?: number
}

/** Who made the change (`notification_context`, in notifications since 2024). */
export interface Origin {
  source: string | null
  /** The calling API key if `source` is `api`; the user's id if it is `ui`. */
  id: string | null
  /** True if the change was made with the listener's own API key. */
  own: boolean
}

/** Who requested a redrive or a replay, when and where. */
export interface RunOrigin {
  by: string
  /** ISO 8601, UTC. */
  at: string
  from: 'page' | 'api' | 'command'
}

/** What events of all types have. */
interface EventFields {
  /** Identifies the event: the same for all its deliveries. Hexadecimal. */
  id: string
  /** `notification_type` as Cloudinary wrote it; null if the body has none. */
  notificationType: string | null
  /** Name of the Cloudinary cloud (product environment) whose secret verified the notification. */
  environment: string
  /** SQS message group: events of one group are processed in order. */
  group: string
  /** Time of the change by Cloudinary's clock; ISO 8601, UTC. */
  occurredAt: string
  /** Time at which the listener received the notification; ISO 8601, UTC. */
  receivedAt: string
  /**
   * Time at which Cloudinary signed this delivery (`X-Cld-Timestamp`); ISO 8601, UTC. Set only if the id
   * comes from the body and the body has no time and no request id. Two different changes can have the same
   * body then: a delivery that was signed too late to be a retry is a different event.
   */
  signedAt?: string
  origin: Origin
  /**
   * Set for a redrive or a replay; each has its own id. An event that is redriven after a replay keeps the id
   * of the replay in `replay`. Messages from before 0.3.0 have no origin.
   */
  run?: ({ kind: 'replay'; id: string } | { kind: 'redrive'; id: string; replay?: string }) &
    Partial<RunOrigin>
  /**
   * Set if `reconcile` found the change by a search and no notification was received. The payload is the
   * state of the asset when it was found. The previous state, and often the origin, are not known.
   */
  reconciled?: true
  /** The role that received it. Missing for a change that `reconcile` found, and before 0.3.0. */
  source?: 'web' | 'poll'
  /** `X-Amzn-Trace-Id` of the request with the notification. */
  traceId?: string
}

/** An event of any type. */
interface AnyEvent extends EventFields {
  type: EventType
  /** Null for events without an asset, such as `create_folder`. */
  asset: Asset | null
  /**
   * The span that sent it, as in the header `traceparent`; set while tracing is on. In the body like the trace
   * id, so that dead letters and replays have it too.
   */
  traceparent?: string
  /**
   * The part of the notification for this asset: the fields that all assets share (without the `resources`
   * collection) and the asset's own. A body that is not a JSON object is kept under `body`.
   */
  payload: Record<string, unknown>
}

/**
 * An event of one type. Asset and payload have the fields that fit the type's schema. An event that does not
 * fit is processed all the same, and counted as `SchemaMismatch`.
 */
interface TypedEvent<Type extends EventType> extends EventFields {
  type: Type
  /** Null for events without an asset, such as `create_folder`. */
  asset: AssetOf<Type>
  /**
   * The part of the notification for this asset: the fields that all assets share (without the `resources`
   * collection) and the asset's own. `reconciled` events lack what a search does not know.
   */
  payload: PayloadOf<Type>
}

/** The events by type. `*` stands for all types. */
export type EventsByType = { [Type in EventType]: TypedEvent<Type> } & { '*': AnyEvent }

/**
 * One change of one asset: the unit of storage, ordering, retries and replays. `AssetEvent<'upload' |
 * 'rename'>` is a union, discriminated by `type`.
 */
export type AssetEvent<Type extends EventType | '*' = '*'> = EventsByType[Type]

/** The payload of an event type: the output of its schema. */
export type PayloadOf<Type extends EventType> = Type extends KnownType
  ? z.output<(typeof PAYLOADS)[Type]>
  : Record<string, unknown>

/** The asset of an event type, with the fields that its payload always states. */
export type AssetOf<Type extends EventType> = Type extends KnownType
  ? AssetIn<z.output<z.ZodObject<(typeof PAYLOADS)[Type]['shape'], z.core.$strip>>>
  : Asset | null

type AssetIn<Payload> = Payload extends { public_id: string } | { to_public_id: string }
  ? Stated<Payload, 'publicId'>
  : Payload extends { asset_id: string }
    ? Stated<Payload, never>
    : [Extract<keyof Payload, 'public_id' | 'asset_id'>] extends [never]
      ? null
      : Asset | null

/** An asset of which some fields are stated. Fields of a rename's new name do not count: the type may differ. */
type Stated<Payload, Names extends keyof Asset> = {
  [Name in
    | Names
    | (Payload extends { asset_id: string } ? 'assetId' : never)
    | (Payload extends { resource_type: string; type: string } ? 'resourceType' | 'deliveryType' : never)
    | (Payload extends { version: number } ? 'version' : never)]-?: NonNullable<Asset[Name]>
} & Asset

/** Returns whether an event is of one of these types, for processors that are on `*`. */
export const isEventOf = <const Type extends EventType>(
  event: AssetEvent,
  ...types: readonly Type[]
): event is AssetEvent<Type> => types.some((type) => type === event.type)

/** Returns the id of the replay that a run belongs to, if any. */
export const replayOf = (run: AssetEvent['run']): string | undefined =>
  run?.kind === 'replay' ? run.id : run?.replay
