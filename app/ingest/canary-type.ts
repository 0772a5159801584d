/**
 * Notification type of the command `canary`. No processor runs for it, so it changes nothing in Cloudinary or
 * elsewhere. Cloudinary has no such type.
 */
export const CANARY_TYPE = 'listener_canary'
