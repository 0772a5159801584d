import { type Attributes, SpanKind } from '@opentelemetry/api'
import type { AssetEvent } from '../ingest/event.ts'
import type { Arrival } from './tracing.ts'

/** Describes the span of a received notification. */
export function describeArrival(arrival: Arrival): { name: string; kind: SpanKind; attributes: Attributes } {
  const traceId = arrival.traceId && { 'cloudinary.trace_id': arrival.traceId }
  switch (arrival.kind) {
    case 'request': {
      const { route, path, scheme } = arrival
      return {
        name: `POST ${route}`,
        kind: SpanKind.SERVER,
        attributes: {
          'http.request.method': 'POST',
          'http.route': route,
          'url.path': path,
          'url.scheme': scheme,
          ...traceId
        }
      }
    }
    case 'poll':
      return {
        name: `process ${arrival.channel}`,
        kind: SpanKind.CONSUMER,
        attributes: {
          'messaging.system': 'cloudinary',
          'messaging.operation.name': 'process',
          'messaging.operation.type': 'process',
          'messaging.destination.name': arrival.channel,
          ...traceId
        }
      }
  }
}

/** Describes an event with the same fields as its log lines. */
export function describeEvent({ id, type, environment, asset, traceId, run }: AssetEvent): Attributes {
  return {
    'cloudinary.event.id': id,
    'cloudinary.event.type': type,
    'cloudinary.cloud': environment,
    'cloudinary.asset': asset?.publicId ?? asset?.assetId,
    'cloudinary.trace_id': traceId,
    'cloudinary.run': run?.kind
  }
}
