import { createRequire } from 'node:module'
import type { v2 } from 'cloudinary'

/** The official SDK's v2 interface. */
export type CloudinarySdk = typeof v2

const require = createRequire(import.meta.url)

/**
 * Loads the official SDK. It fixes http or https when its modules are first loaded, from the `upload_prefix`
 * configured by then, so its configuration is set before: this is the only way to reach an http endpoint.
 * With `hide_sensitive` its errors of HTTP answers leave out `auth` (others do not, see fault.ts).
 *
 * @param uploadPrefix that of any of the environments: they all have the same scheme
 */
export function loadSdk(uploadPrefix: string | undefined): CloudinarySdk {
  const configure = require('cloudinary/lib/config') as (options: object) => void
  configure({ upload_prefix: uploadPrefix, hide_sensitive: true })
  return (require('cloudinary') as { v2: CloudinarySdk }).v2
}
