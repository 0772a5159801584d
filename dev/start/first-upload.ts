import { setTimeout as pause } from 'node:timers/promises'
import type { CloudinaryStandIn } from '../cloudinary/cloudinary-server.ts'
import { describeJourney, retriedProcessors } from './journey.ts'
import type { LogLine } from './role-process.ts'
import type { System } from './system.ts'

export interface FirstUploadOptions {
  system: Pick<System, 'atRest'>
  cloudinary: CloudinaryStandIn
  /** Log lines of the roles; grows while the upload is processed. */
  lines: readonly LogLine[]
  print: (text: string) => void
  /** Ends the wait for the upload. */
  until: AbortSignal
  /** Maximum time to wait for the upload, in milliseconds. (Default: 30,000) */
  journeyMs?: number | undefined
}

/** Uploads `hello/first-upload` to the Cloudinary stand-in, and prints each step of its journey. */
export async function sendFirstUpload(options: FirstUploadOptions): Promise<void> {
  const { system, cloudinary, lines, print, until, journeyMs = 30_000 } = options
  const publicId = 'hello/first-upload'
  const uploadedAt = Date.now()
  cloudinary.as().upload({ publicId, resourceType: 'image' })
  const waited = new AbortController()
  const result = await Promise.race([
    system.atRest().then(() => 'done'),
    pause(journeyMs, 'late', { signal: AbortSignal.any([until, waited.signal]) }).catch(() => 'stopped')
  ])
  waited.abort()
  if (result === 'stopped') return
  print(`\nThe journey of one upload, ${publicId}:\n`)
  for (const step of describeJourney({ uploadedAt, deliveries: cloudinary.deliveries, lines })) print(step)
  const asset = cloudinary.assets.find(publicId)
  print(`\nThe asset now: tags ${JSON.stringify(asset?.tags)}, metadata ${JSON.stringify(asset?.metadata)}`)
  if (result === 'late') {
    const why = retriedProcessors(lines).join(', ') || 'the lines above may give the reason'
    print(`The first upload is not done yet, after ${journeyMs / 1000} s: ${why}.`)
    return
  }
  const ownKey = cloudinary.cloud().own.apiKey
  const own = cloudinary.deliveries.filter(
    ({ body }) => JSON.parse(body).notification_context.triggered_by.id === ownKey
  ).length
  print(
    `Notifications of the listener's own changes: ${own}. They caused no further change, so there is no loop.`
  )
}
