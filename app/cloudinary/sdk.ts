import { createRequire } from 'node:module'
import type { v2 } from 'cloudinary'

/** The official SDK's v2 interface. */
export type CloudinarySdk = typeof v2

const require = createRequire(import.meta.url)

/**
 * Loads the official SDK. With `hide_sensitive` its errors of HTTP responses leave out `auth` (others do not:
 * see cloudinary-error.ts). No other setting is global: see `CallOptions`.
 */
export function loadSdk(): CloudinarySdk {
  const { v2: sdk } = require('cloudinary') as { v2: CloudinarySdk }
  sdk.config({ hide_sensitive: true })
  return sdk
}
