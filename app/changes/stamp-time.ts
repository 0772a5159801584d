/**
 * What time a metadata field holds: ISO 8601 in one of type string, seconds since the epoch in one of type integer,
 * which Cloudinary may also write as text.
 *
 * @returns milliseconds since the epoch; minus infinity for a field that is not set or holds no time
 */
export function stampTime(value: unknown): number {
  if (typeof value !== 'string' && typeof value !== 'number') return Number.NEGATIVE_INFINITY
  const seconds = value === '' ? Number.NaN : Number(value)
  const milliseconds = Number.isNaN(seconds) ? Date.parse(String(value)) : seconds * 1000
  return Number.isNaN(milliseconds) ? Number.NEGATIVE_INFINITY : milliseconds
}
