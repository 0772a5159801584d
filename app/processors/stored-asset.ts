import type { Asset } from '../ingest/event.ts'

/**
 * Delivery types that Cloudinary stores. Reading an asset of another type, such as `fetch`, would fetch it
 * again.
 */
const STORED = ['upload', 'private', 'authenticated']

/** Returns whether Cloudinary stores an asset. True if its delivery type is unknown. */
export const isStored = ({ deliveryType }: Asset): boolean =>
  deliveryType === undefined || STORED.includes(deliveryType)
