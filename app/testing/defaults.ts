/**
 * Credentials for local use, if no account is configured: the stand-in for Cloudinary accepts them, `npm run
 * send` signs with them, and nothing else knows them.
 */

/** The environment and API key of the listener. */
export const LOCAL_CLOUDINARY = {
  cloudName: 'demo',
  apiKey: '111111111111111',
  apiSecret: 'local-development-secret'
} as const

/** A second API key of the same environment: its changes are not the listener's own. */
export const COLLEAGUE = {
  apiKey: '222222222222222',
  apiSecret: 'local-colleague-secret'
} as const

/** The secret that `forward` signs with, and the stand-in receiver verifies with. */
export const LOCAL_FORWARD_SECRET = 'whsec_bG9jYWwtZGV2ZWxvcG1lbnQtc2VjcmV0'

/** The secret that `publish` sends by default under `npm start`, and the stand-in hook compares with. */
export const LOCAL_PUBLISH_SECRET = 'local-publish-secret'
