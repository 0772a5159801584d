import type { Rate } from '../rate.ts'

/** What `send-message.ts` is told to send: bodies at a rate. */
export type Schedule = Rate & { body: string }
