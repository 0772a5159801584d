/** Returns an object's fields; undefined for any other value. */
export const asFields = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
