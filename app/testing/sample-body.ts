import type { EventType } from '../ingest/event.ts'
import { LOCAL_CLOUDINARY } from './defaults.ts'
import { type SampleOptions, type SampleVariant, sampleNotification } from './samples.ts'

/** What a sample notification is about, and what of its body is different. */
export interface Sample<Type extends EventType>
  extends Omit<SampleOptions, 'cloudName' | 'signatureKey' | 'now'> {
  /** Which of the samples of the type. (Default: the first one) */
  variant?: SampleVariant<Type>
  /** The change was made with the listener's own API key. (Default: a colleague's) */
  own?: boolean
  /** Fields that replace those of the sample. */
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
