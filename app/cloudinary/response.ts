import { z } from 'zod'
import { CloudinaryError } from './cloudinary-error.ts'

/**
 * Parses a response of Cloudinary by a schema.
 *
 * @param call name of the call, for the error, which quotes nothing of the response
 * @throws {CloudinaryError} CLOUDINARY_ANSWER_INVALID
 */
export function readResponse<Content>(call: string, answer: unknown, schema: z.ZodType<Content>): Content {
  const result = schema.safeParse(answer)
  if (result.success) return result.data
  const { code, path } = result.error.issues[0]!
  const where = ['answer', ...path].join('.')
  throw new CloudinaryError(
    'CLOUDINARY_ANSWER_INVALID',
    `${call}: the response does not have the documented form (${code} at ${where}); ` +
      'check upload_prefix and the proxies before Cloudinary',
    { kind: 'retryable' }
  )
}

/**
 * Returns the schema of an optional list in a response. Drops elements that do not have the given fields, so
 * that one invalid element does not affect the others.
 */
export function listOf<Element>(fields: z.ZodType): z.ZodType<Element[]> {
  const isElement = (element: unknown): element is Element => fields.safeParse(element).success
  return z
    .array(z.unknown())
    .nullish()
    .transform((list) => (list ?? []).filter(isElement))
}
