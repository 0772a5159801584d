/**
 * Parses the time in a metadata field: ISO 8601 in a string field, seconds since the epoch in an integer
 * field, which Cloudinary may return as text.
 *
 * @returns milliseconds since the epoch, or -Infinity if the field is not set or holds no time
 */
export function stampTime(value: unknown): number {
  if (typeof value !== 'string' && typeof value !== 'number') return Number.NEGATIVE_INFINITY
  const seconds = value === '' ? Number.NaN : Number(value)
  const milliseconds = Number.isNaN(seconds) ? Date.parse(String(value)) : seconds * 1000
  return Number.isNaN(milliseconds) ? Number.NEGATIVE_INFINITY : milliseconds
}
