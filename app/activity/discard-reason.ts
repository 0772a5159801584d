import { z } from 'zod'

/** Maximum length of a reason, in characters. */
export const MAX_REASON_LENGTH = 300

/** Why dead events are discarded. */
export const ReasonSchema = z
  .string()
  .trim()
  .min(1, 'must say why, so that others can understand it')
  .max(MAX_REASON_LENGTH)
  .describe('why they are given up; it is shown with each event')
