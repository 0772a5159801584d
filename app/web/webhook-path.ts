/** Where `web` receives notifications, with or without a slash at its end. */
export const WEBHOOK_PATH = '/webhooks/cloudinary'

/** Whether `web` serves the path of an address. Whatever its host is: a proxy or load balancer has its own. */
export const isServed = ({ pathname }: URL): boolean =>
  pathname === WEBHOOK_PATH || pathname === `${WEBHOOK_PATH}/`
