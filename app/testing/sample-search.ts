import type { FoundAsset } from '../cloudinary/search.ts'
import type { AssetEvent } from '../ingest/event.ts'
import { scheduledEvent } from '../schedules/scheduled-event.ts'
import { LOCAL_CLOUDINARY } from './defaults.ts'
import { type Sample, sampleBody } from './sample-body.ts'

/** Fields of a notification that a search does not have. */
const NOTIFIED = [
  'notification_type',
  'notification_context',
  'signature_key',
  'request_id',
  'timestamp',
  'api_key'
]

/**
 * Returns the event of a sample asset that a schedule has found. `body` replaces fields of the asset, and names
 * the schedule.
 */
export function sampleSearchEvent(
  sample: Omit<Sample<'scheduled_search'>, 'variant'>,
  now: Date
): AssetEvent {
  const uploaded = Object.entries(sampleBody('upload', sample as Sample<'upload'>, now))
  const fields = Object.fromEntries(uploaded.filter(([name]) => !NOTIFIED.includes(name)))
  const { schedule = 'sample', ...asset } = fields
  const time = now.toISOString()
  return scheduledEvent(asset as FoundAsset, {
    environment: LOCAL_CLOUDINARY.cloudName,
    schedule: String(schedule),
    slot: time,
    receivedAt: time
  })
}
