/** What `moderate` did to an asset, kept in a metadata field of the asset until it is approved. */
export interface QuarantineRecord {
  /** The kinds of moderation that rejected the asset, such as `aws_rek`. At least one. */
  by: readonly string[]
  /** Folder that the asset was moved from, and the one it was moved to. */
  moved?: { from: string; to: string }
  /** Access control before it was restricted: a JSON array. */
  access?: string
  /** Folder and access control did not fit into the field: only a person can restore the asset. */
  lost?: true
}

/**
 * Maximum length of a record, in characters. Cloudinary documents none for structured metadata of type string;
 * this is that of a value of contextual metadata.
 *
 * Source: https://cloudinary.com/documentation/image_upload_api_reference#context_method
 */
export const MAX_RECORD = 1024

/** Writes a record as text for the metadata field. One that is too long keeps only who rejected the asset. */
export function encodeRecord(record: QuarantineRecord): string {
  const text = encode(record)
  return text.length <= MAX_RECORD ? text : encode({ by: record.by, lost: true })
}

/**
 * Percent-encodes values, so that the text has none of the characters that the API reserves in metadata except
 * `=`, which the SDK escapes.
 */
function encode({ by, moved, access, lost }: QuarantineRecord): string {
  const kinds = by.map((kind): [string, string] => ['by', kind])
  const others = Object.entries({
    ...moved,
    ...(access !== undefined && { access }),
    ...(lost && { lost: '1' })
  })
  return new URLSearchParams([...kinds, ...others]).toString()
}

/** Reads a record; undefined for anything else, such as a value that a person entered. */
export function decodeRecord(text: unknown): QuarantineRecord | undefined {
  if (typeof text !== 'string') return undefined
  const parameters = new URLSearchParams(text)
  const by = parameters.getAll('by').filter(Boolean)
  if (by.length === 0) return undefined
  const { from, to, access, lost } = Object.fromEntries(parameters)
  return {
    by,
    ...(lost !== undefined && { lost: true as const }),
    ...(from !== undefined && to && { moved: { from, to } }),
    ...(access !== undefined && { access })
  }
}
