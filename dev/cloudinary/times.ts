/** Cloudinary's ways to write a time; all take Unix time in milliseconds. */

/** `2024-06-25T09:25:44Z`: what the Upload and the Admin API answer with. */
export function isoSeconds(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** `2024-06-25T09:25:44+00:00`: what notifications and the Search API write. */
export function isoOffset(time: number): string {
  return isoSeconds(time).replace('Z', '+00:00')
}

/** `2024-06-25T09:25:44.123000Z`: when a notification was triggered, with microseconds. */
export function isoMicroseconds(time: number): string {
  return new Date(time).toISOString().replace('Z', '000Z')
}

/** `2024-06-25 09:25:44 UTC`: when a rate limit ends, within an error's message. */
export function plainUtc(time: number): string {
  return isoSeconds(time).replace('T', ' ').replace('Z', ' UTC')
}
