export type { Change, ChangesOptions } from './changes/change-feed.ts'
export { changes } from './changes/change-feed.ts'
export type { AssetState, CallOptions, CloudinaryClient } from './cloudinary/client.ts'
export { CloudinaryError } from './cloudinary/cloudinary-error.ts'
export { connect } from './connect.ts'
export { PermanentError, RetryLaterError } from './errors.ts'
export type { Asset, AssetEvent, EventType, Origin } from './ingest/event.ts'
export { isEventOf } from './ingest/event.ts'
export type { State } from './journal/processor-state.ts'
export { defineListener, defineProcessor } from './listener-config/define-listener.ts'
export type {
  CheckContext,
  DeadLetter,
  DeadLetterContext,
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
export { chat } from './processors/chat/chat.ts'
export type { AssetChange } from './processors/cms-write-back/asset-change.ts'
export type { Cms, CmsContext, EntryOutcome } from './processors/cms-write-back/cms.ts'
export { cmsWriteBack } from './processors/cms-write-back/cms-write-back.ts'
export { contentful } from './processors/cms-write-back/contentful.ts'
export { sanity } from './processors/cms-write-back/sanity.ts'
export { csvBulk } from './processors/csv-bulk/csv-bulk.ts'
export { databaseSync } from './processors/database-sync/database-sync.ts'
export type { EventBridgeOptions } from './processors/event-bridge/event-bridge.ts'
export { eventBridge } from './processors/event-bridge/event-bridge.ts'
export type { ExpireOptions, ExpiryWarning } from './processors/expire/expire.ts'
export { expire } from './processors/expire/expire.ts'
export { forward } from './processors/forward/forward.ts'
export { helloWorldTag } from './processors/hello-world-tag.ts'
export { lastUpdateTimestamp } from './processors/last-update-timestamp.ts'
export type { Decision } from './processors/moderate/decision.ts'
export { moderate } from './processors/moderate/moderate.ts'
export { notify } from './processors/notify/notify.ts'
export type { Cdn } from './processors/publish/cloud-front.ts'
export { publish } from './processors/publish/publish.ts'
export { videoPreprocess } from './processors/video-preprocess/video-preprocess.ts'
export type { Schedule, ScheduleOptions } from './schedules/schedule.ts'
export { schedule } from './schedules/schedule.ts'
