import { maskSecrets } from '../mask.ts'

/** Fields that contain credentials, at any depth of a notification. */
const SECRET_FIELD = /signature|token|secret|password|credential|authorization/i

/**
 * A public delivery URL: it gives no more access than the public id. A URL with a signature or a query may
 * give access to a private asset or a download.
 */
const PUBLIC_DELIVERY_URL =
  /^https?:\/\/res\.cloudinary\.com\/[\w-]+\/(?:image|video|raw)\/upload\/(?!s--)[^\s?#"'<>]*$/

/** Returns a copy of a payload with secrets and capability URLs masked. */
export function maskPayload(value: unknown): unknown {
  if (typeof value === 'string') return PUBLIC_DELIVERY_URL.test(value) ? value : maskSecrets(value)
  if (Array.isArray(value)) return value.map(maskPayload)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      maskSecrets(name),
      SECRET_FIELD.test(name) ? maskAll(inner) : maskPayload(inner)
    ])
  )
}

/** Returns a copy with all strings and numbers masked. */
function maskAll(value: unknown): unknown {
  if (typeof value === 'string' || typeof value === 'number') return '…'
  if (Array.isArray(value)) return value.map(maskAll)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [maskSecrets(name), maskAll(inner)]))
}
