export type { Change, ChangesOptions } from './changes/change-feed.ts'
export { changes } from './changes/change-feed.ts'
export type { AssetState, CallOptions, CloudinaryClient } from './cloudinary/client.ts'
export { CloudinaryError } from './cloudinary/cloudinary-error.ts'
export { connect } from './connect.ts'
export { PermanentError, RetryLaterError } from './errors.ts'
export type { Asset, AssetEvent, EventType, Origin } from './ingest/event.ts'
export type { State } from './journal/processor-state.ts'
export { defineListener, defineProcessor } from './listener-config/define-listener.ts'
export type {
  CheckContext,
  Finding,
  Listener,
  MetadataFieldDefinition,
  MigrateContext,
  OwnVariable,
  Processor,
  ProcessorContext,
  Requirement,
  StartContext
} from './processor.ts'
export type { ArchiveOptions } from './processors/archive/archive.ts'
export { archive } from './processors/archive/archive.ts'
export { csvBulk } from './processors/csv-bulk/csv-bulk.ts'
export { databaseSync } from './processors/database-sync/database-sync.ts'
export type { EventBridgeOptions } from './processors/event-bridge/event-bridge.ts'
export { eventBridge } from './processors/event-bridge/event-bridge.ts'
export type { ExpireOptions, ExpiryWarning } from './processors/expire/expire.ts'
export { expire } from './processors/expire/expire.ts'
export { forward } from './processors/forward/forward.ts'
export { helloWorldTag } from './processors/hello-world-tag.ts'
export { lastUpdateTimestamp } from './processors/last-update-timestamp.ts'
export { notify } from './processors/notify/notify.ts'
export { videoPreprocess } from './processors/video-preprocess/video-preprocess.ts'
export type { Schedule, ScheduleOptions } from './schedules/schedule.ts'
export { schedule } from './schedules/schedule.ts'
