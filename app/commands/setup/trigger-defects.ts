import type { Trigger } from '../../cloudinary/triggers.ts'

/** A setting of a trigger that changes or withholds notifications, and what to do. */
export interface TriggerDefect {
  level: 'warning' | 'fault'
  message: string
}

const NOT_VERIFIABLE =
  'auth_scheme eddsa_v2 cannot be verified, since its algorithm is not published; set "default" or ' +
  '"legacy_hmac" in Cloudinary'

const TEMPLATE =
  'has a payload_template, so its notifications become events of type unknown; remove it in Cloudinary'

const FILTER =
  'has a filter, so notifications that do not match are not sent; remove it unless it is intended'

/**
 * Returns the defects of a trigger that sends to the listener. `setup` does not change these settings, since
 * a person made them.
 */
export function defectsOf({
  auth_scheme: scheme,
  payload_template: template,
  filter
}: Trigger): TriggerDefect[] {
  return [
    ...(scheme === 'eddsa_v2' ? [{ level: 'fault', message: NOT_VERIFIABLE } as const] : []),
    ...(isSet(template) ? [{ level: 'fault', message: TEMPLATE } as const] : []),
    ...(isSet(filter) ? [{ level: 'warning', message: FILTER } as const] : [])
  ]
}

/** Cloudinary may omit an unset value, or send null, an empty object or an empty string. */
const isSet = (value: unknown): boolean =>
  typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value)
