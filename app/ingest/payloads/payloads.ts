import type { z } from 'zod'
import type { KnownType } from '../event-types.ts'
import { CHANGE_PAYLOADS } from './change-payloads.ts'
import { DERIVED_PAYLOADS } from './derived-payloads.ts'
import { OTHER_PAYLOADS } from './other-payloads.ts'
import { OWN_PAYLOADS } from './own-payloads.ts'
import { REVIEW_PAYLOADS } from './review-payloads.ts'
import { UPLOAD_PAYLOADS } from './upload-payloads.ts'

/** The schema of `event.payload` of each event type but `unknown`. */
export const PAYLOADS = {
  ...UPLOAD_PAYLOADS,
  ...CHANGE_PAYLOADS,
  ...DERIVED_PAYLOADS,
  ...REVIEW_PAYLOADS,
  ...OTHER_PAYLOADS,
  ...OWN_PAYLOADS
} satisfies Record<KnownType, z.ZodObject>
