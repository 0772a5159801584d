/**
 * Who is who on a bare machine, where no account is configured: the stand-in for Cloudinary accepts these
 * credentials and `npm run send` signs with them. They open nothing but the stand-in.
 */

/** The environment, and the key, that the listener itself calls Cloudinary with. */
export const LOCAL_CLOUDINARY = {
  cloudName: 'demo',
  apiKey: '111111111111111',
  apiSecret: 'local-development-secret'
} as const

/** Somebody else with a key of the same environment: whose changes are not the listener's own. */
export const COLLEAGUE = {
  apiKey: '222222222222222',
  apiSecret: 'local-colleague-secret'
} as const

/** What `forward` signs with; the stand-in for what it forwards to verifies by it. */
export const LOCAL_FORWARD_SECRET = 'whsec_bG9jYWwtZGV2ZWxvcG1lbnQtc2VjcmV0'
