import { unescape as decode } from 'node:querystring'
import { singleLine } from '../single-line.ts'

/** Minimum length of text that is masked in errors: shorter text may be part of ordinary words. */
const MIN_SECRET = 8

/** Maximum length of the response excerpt in an error, in characters. */
const MAX_EXCERPT = 300

/**
 * Returns texts to mask in errors, longest first. Of the URL only the origin is not masked: for some
 * receivers the path is the secret.
 */
export function secretsIn(url: URL, headers: Record<string, string> = {}, others: string[] = []): string[] {
  const { pathname, search, searchParams, hash } = url
  const segments = pathname.split('/')
  const values = Object.values(headers)
  return [
    ...others,
    ...values,
    ...values.flatMap((value) => value.split(' ')),
    pathname,
    ...segments,
    ...segments.map(decode),
    ...searchParams.values(),
    ...search.split(/[?&=]/),
    hash.slice(1)
  ]
    .filter(({ length }) => length >= MIN_SECRET)
    .sort((one, other) => other.length - one.length)
}

/** Returns the beginning of a response in one line. Masks secrets, since a receiver may quote the request. */
export function maskedExcerpt(text: string, secrets: readonly string[]): string {
  let masked = text
  for (const secret of secrets) masked = masked.replaceAll(secret, '[secret]')
  return singleLine(masked.replace(/v1,[\w+/]{40,}=*/g, '[signature]'))
    .slice(0, MAX_EXCERPT)
    .toWellFormed()
}
