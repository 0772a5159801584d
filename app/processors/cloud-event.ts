import type { AssetEvent } from '../ingest/event.ts'

/** An event in the JSON format of CloudEvents 1.0. Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md */
export interface CloudEvent {
  specversion: '1.0'
  /** The id of the event: the same for each delivery, retry, redrive and replay. */
  id: string
  /** The API of the cloud, which identifies it. */
  source: string
  /** Type of the event, such as `com.cloudinary.upload`. */
  type: string
  /** `image/upload/PUBLIC_ID`; the public id or asset id if the kind is not stated; missing without an asset. */
  subject?: string
  /** Time of the change; ISO 8601, UTC. */
  time: string
  datacontenttype: 'application/json'
  data: unknown
}

/** Media type of one event in structured mode. */
export const CLOUD_EVENT_TYPE = 'application/cloudevents+json'

/** Returns an event as CloudEvent. @param data (Default: the payload) */
export function toCloudEvent(event: AssetEvent, data: unknown = event.payload): CloudEvent {
  const subject = subjectOf(event)
  return {
    specversion: '1.0',
    id: event.id,
    source: `https://api.cloudinary.com/v1_1/${encodeURIComponent(event.environment)}`,
    type: `com.cloudinary.${typeOf(event)}`,
    ...(subject !== undefined && { subject }),
    time: event.occurredAt,
    datacontenttype: 'application/json',
    data
  }
}

/** Keeps the name of a type that is unknown to this release, so that subscribers need not wait for the next one. */
function typeOf({ type, notificationType }: AssetEvent): string {
  return type === 'unknown' && notificationType !== null && /^[a-z][a-z0-9_]*$/.test(notificationType)
    ? notificationType
    : type
}

function subjectOf({ asset }: AssetEvent): string | undefined {
  const { assetId, publicId, resourceType, deliveryType } = asset ?? {}
  return publicId && resourceType && deliveryType
    ? `${resourceType}/${deliveryType}/${publicId}`
    : (publicId ?? assetId)
}
