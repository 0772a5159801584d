import { z } from 'zod'
import type { Asset, AssetEvent } from '../../ingest/event.ts'
import type { ProcessorContext } from '../../processor.ts'
import { CRON, SCHEDULE_NAME, TIMEZONE } from '../../schedules/schedule.ts'
import { TAG } from '../processor-options.ts'
import type { Day } from './days.ts'

/** What a function in `warn` receives. */
export interface ExpiryWarning {
  /** The asset, with its current name. */
  asset: Asset
  /** The value of the field. */
  expiresOn: Day
  /** Days until the date, at least 1. */
  daysLeft: number
  /** The entry of `warnDays` that is reached. */
  warnDays: number
  event: AssetEvent
}

export type WarnFunction = (warning: ExpiryWarning, context: ProcessorContext) => Promise<void> | void

/** What happens on the day. */
export const ACTIONS = ['tag', 'move', 'restrict', 'delete'] as const

const field = z.string().min(1).max(255)

export const Options = z
  .strictObject({
    /** Name of the processor and of its schedule. */
    name: SCHEDULE_NAME.default('expire'),
    /** External id of the metadata field with the day. `setup` creates it, of type date. */
    field: field.regex(/^[\w-]+$/, 'must be the external id of a metadata field').default('expires_on'),
    /** Days before the day on which to warn. (Default: no warnings) */
    warnDays: z.array(z.int().min(1).max(3650)).default([]),
    /** The tag of a warning, or a function. */
    warn: z
      .union([TAG, z.custom<WarnFunction>((value) => typeof value === 'function')], {
        error: 'must be a tag without a comma, or a function'
      })
      .default('expires-soon'),
    /** What happens on the day. */
    action: z.enum(ACTIONS).default('tag'),
    /** The tag of `tag` and `restrict`. */
    tag: TAG.default('expired'),
    /** The asset folder of `move`. */
    folder: z
      .string()
      .regex(/^[^/]+(?:\/[^/]+)*$/, 'must be a folder such as archive/expired')
      .optional(),
    /** True if `restrict` and `delete` also remove the copies in the CDN. */
    invalidate: z.boolean().default(true),
    /** Further search terms: only assets that match them expire. */
    where: z.string().min(1).optional(),
    /** When to search, as a cron expression. */
    cron: CRON.default('0 3 * * *'),
    /** Time zone of `cron`, and of the days. */
    timezone: TIMEZONE.default('UTC'),
    /** Clouds to search. (Default: all) */
    environments: z.array(z.string().min(1)).min(1).readonly().optional()
  })
  .refine(({ action, folder: to }) => (action === 'move') === (to !== undefined), {
    path: ['folder'],
    error: '`action: "move"` needs `folder`, and nothing else takes it'
  })
  .refine(({ warn, tag }) => warn !== tag, {
    path: ['warn'],
    error: 'must differ from `tag`'
  })

/** @see expire */
export type ExpireOptions = z.input<typeof Options>

export type CheckedOptions = z.output<typeof Options>
