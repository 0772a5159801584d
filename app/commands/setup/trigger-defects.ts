import type { Trigger } from '../../cloudinary/triggers.ts'

/** What is wrong with a trigger that sends to the listener, and what to do. */
export interface Defect {
  level: 'warning' | 'fault'
  message: string
}

const NOT_VERIFIABLE =
  'its auth_scheme is eddsa_v2, whose algorithm is not published; set "default" or "legacy_hmac" in Cloudinary'

const TEMPLATE =
  "it has a payload_template: its notifications are not in Cloudinary's own form and become events of type unknown; " +
  'remove the template in Cloudinary'

const FILTER =
  'it has a filter: notifications that do not match are not sent; if that is not intended, remove the filter in Cloudinary'

/** What `setup` cannot or must not change: somebody has set it. */
export function defectsOf({ auth_scheme: scheme, payload_template: template, filter }: Trigger): Defect[] {
  return [
    ...(scheme === 'eddsa_v2' ? [{ level: 'fault', message: NOT_VERIFIABLE } as const] : []),
    ...(isSet(template) ? [{ level: 'fault', message: TEMPLATE } as const] : []),
    ...(isSet(filter) ? [{ level: 'warning', message: FILTER } as const] : [])
  ]
}

/** Cloudinary may leave out what is not set, or send null or an empty object or text. */
const isSet = (value: unknown): boolean =>
  typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value)
