/** Maximum size of a request body, in bytes: 1,000 ids and a filter. */
export const ACTIVITY_BODY_BYTES = 256 * 1024
