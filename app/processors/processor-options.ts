import { z } from 'zod'
import { ListenerError } from '../errors.ts'

/** A tag. Cloudinary takes a list of them separated by commas. */
export const TAG = z
  .string()
  .min(1)
  .max(1000)
  .regex(/^[^,]+$/, 'a tag has no comma')

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
  const faults = result.error.issues.map((issue) => `${issue.path.join('.') || 'options'}: ${saidOf(issue)}`)
  throw new ListenerError('LISTENER_CONFIG_INVALID', `${processor}: ${faults.join('; ')}`)
}

/** Of a bad key zod says no more than that it is one; why, is within. */
const saidOf = (issue: z.core.$ZodIssue): string =>
  issue.code === 'invalid_key' ? issue.issues.map(({ message }) => message).join(', ') : issue.message
