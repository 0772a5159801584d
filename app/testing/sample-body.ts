import type { EventType } from '../ingest/event.ts'
import { LOCAL_CLOUDINARY } from './defaults.ts'
import { type SampleOptions, type SampleVariant, sampleNotification } from './samples.ts'

/** Options of a sample notification. */
export interface Sample<Type extends EventType>
  extends Omit<SampleOptions, 'cloudName' | 'signatureKey' | 'now'> {
  /** Name of the sample. (Default: the first of the type) */
  variant?: SampleVariant<Type>
  /** Made with the listener's own API key. (Default: false) */
  own?: boolean
  /** Fields that replace fields of the sample. */
  body?: Record<string, unknown>
}

/** @throws {ListenerError} SAMPLE_UNKNOWN, SAMPLE_COUNT */
export function sampleBody<Type extends EventType>(
  type: Type,
  { own, body, ...options }: Sample<Type>,
  now: Date
): object {
  const apiKey = own ? { apiKey: LOCAL_CLOUDINARY.apiKey } : {}
  return { ...sampleNotification(type, { ...options, ...apiKey, now }), ...body }
}
