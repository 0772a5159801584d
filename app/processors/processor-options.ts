import { z } from 'zod'
import { ListenerError } from '../errors.ts'
import { type AssetEvent, EVENT_TYPES } from '../ingest/event.ts'

/** The event types that a processor is run for. */
export const ON = z
  .array(z.enum([...EVENT_TYPES, '*']))
  .min(1)
  .default(['upload'])

/** A tag. Cloudinary separates tags by commas. */
export const TAG = z
  .string()
  .min(1)
  .max(1000)
  .regex(/^[^,]+$/, 'a tag must not contain a comma')

/** Returns whether the asset had a tag when Cloudinary sent the notification. */
export const hasTag = ({ tags }: AssetEvent['payload'], tag: string): boolean =>
  Array.isArray(tags) && tags.includes(tag)

/**
 * Checks a processor's options when the listener starts, rather than at the first event.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID, naming processor and option
 */
export function checkOptions<Schema extends z.ZodType>(
  processor: string,
  schema: Schema,
  options: z.input<Schema>
): z.output<Schema> {
  const result = schema.safeParse(options)
  if (result.success) return result.data
  const errors = result.error.issues.map(
    (issue) => `${issue.path.join('.') || 'options'}: ${messageOf(issue)}`
  )
  throw new ListenerError('LISTENER_CONFIG_INVALID', `${processor}: ${errors.join('; ')}`)
}

/** For an invalid key, zod puts the reasons into nested issues. */
const messageOf = (issue: z.core.$ZodIssue): string =>
  issue.code === 'invalid_key' ? issue.issues.map(({ message }) => message).join(', ') : issue.message
