/** Path of the webhook, with or without a slash at the end. */
export const WEBHOOK_PATH = '/webhooks/cloudinary'

/**
 * Returns whether `web` serves the path of a URL. Ignores the host, which may be a proxy or load balancer.
 */
export const isServed = ({ pathname }: URL): boolean =>
  pathname === WEBHOOK_PATH || pathname === `${WEBHOOK_PATH}/`
