/** What `moderate` did to an asset, kept in a metadata field of the asset until it is approved. */
export interface QuarantineRecord {
  /** The kinds of moderation that rejected the asset, such as `aws_rek`. At least one. */
  by: readonly string[]
  /** Folder that the asset was moved from, and the one it was moved to. */
  moved?: { from: string; to: string }
  /** Access control before it was restricted: a JSON array. */
  access?: string
}

/**
 * Writes a record as text for a metadata field. Percent-encodes values, so that it has none of the characters
 * that the API reserves in metadata except `=`, which the SDK escapes.
 */
export function encodeRecord({ by, moved, access }: QuarantineRecord): string {
  const kinds = by.map((kind): [string, string] => ['by', kind])
  const others = Object.entries({ ...moved, ...(access !== undefined && { access }) })
  return new URLSearchParams([...kinds, ...others]).toString()
}

/** Reads a record; undefined for anything else, such as a value that a person entered. */
export function decodeRecord(text: unknown): QuarantineRecord | undefined {
  if (typeof text !== 'string') return undefined
  const parameters = new URLSearchParams(text)
  const by = parameters.getAll('by').filter(Boolean)
  if (by.length === 0) return undefined
  const { from, to, access } = Object.fromEntries(parameters)
  return {
    by,
    ...(from !== undefined && to && { moved: { from, to } }),
    ...(access !== undefined && { access })
  }
}
