/** Cloudinary's formats of a time, from Unix time in milliseconds. */

/** `2024-06-25T09:25:44Z`: in responses of the Upload and the Admin API. */
export function isoSeconds(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** `2024-06-25T09:25:44+00:00`: in notifications and the Search API. */
export function isoOffset(time: number): string {
  return isoSeconds(time).replace('Z', '+00:00')
}

/** `2024-06-25T09:25:44.123000Z`: the time at which a notification was triggered, with microseconds. */
export function isoMicroseconds(time: number): string {
  return new Date(time).toISOString().replace('Z', '000Z')
}

/** `2024-06-25 09:25:44 UTC`: the end of a rate limit, in an error message. */
export function plainUtc(time: number): string {
  return isoSeconds(time).replace('T', ' ').replace('Z', ' UTC')
}
