import { z } from 'zod'
import { CloudinaryError } from './cloudinary-error.ts'

/**
 * What the caller reads of an answer of Cloudinary.
 *
 * @param call what was called, for the error, which quotes nothing of the answer: it may hold what must not be logged
 * @throws {CloudinaryError} CLOUDINARY_ANSWER_INVALID
 */
export function readAnswer<Answer>(call: string, answer: unknown, schema: z.ZodType<Answer>): Answer {
  const result = schema.safeParse(answer)
  if (result.success) return result.data
  const { code, path } = result.error.issues[0]!
  const where = ['answer', ...path].join('.')
  throw new CloudinaryError(
    'CLOUDINARY_ANSWER_INVALID',
    `${call}: the answer does not have the documented form (${code} at ${where}); ` +
      'check upload_prefix and the proxies between here and Cloudinary',
    { kind: 'retryable' }
  )
}

/**
 * A list in an answer, which may be left out. An element that does not have the fields that its users rely on is left out,
 * so that it does not keep them from the others.
 */
export function listOf<Element>(fields: z.ZodType): z.ZodType<Element[]> {
  const isElement = (element: unknown): element is Element => fields.safeParse(element).success
  return z
    .array(z.unknown())
    .nullish()
    .transform((list) => (list ?? []).filter(isElement))
}
