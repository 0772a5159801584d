import {
  archive,
  chat,
  cmsWriteBack,
  contentful,
  csvBulk,
  databaseSync,
  defineListener,
  eventBridge,
  expire,
  forward,
  helloWorldTag,
  lastUpdateTimestamp,
  moderate,
  notify,
  publish,
  sanity,
  videoPreprocess
} from '../app/listener.ts'

/** Receiver of `forward` in the Cloudinary stand-in. */
const RECEIVER = 'http://127.0.0.1:4000/_standin/received'

/**
 * All processors of the listener. To try them:
 * `LISTENER_CONFIG=./dev/every-processor.config.ts npm start`
 */
export const everyProcessor = (receiver: string) => [
  helloWorldTag({ tag: 'Hello World!' }),
  lastUpdateTimestamp({ field: 'last_update_timestamp', requireMetadata: 'cms_id' }),
  videoPreprocess({
    transformations: ['sp_full_hd/m3u8', 'c_limit,q_auto,w_640/mp4'],
    tagLarge: 'large-video',
    tagSmall: 'small-video'
  }),
  csvBulk({
    folder: 'bulk',
    operations: ['add_tags', 'remove_tags', 'set_metadata', 'set_context', 'rename', 'delete']
  }),
  databaseSync(),
  expire({ warnDays: [30, 7] }),
  forward({ url: receiver, fields: ['public_id', 'tags', 'context.custom', 'original_filename'] }),
  notify({
    subject: 'New: {public_id}',
    text: '{display_name} was uploaded to {event.environment}: {secure_url}'
  }),
  moderate({ folder: 'quarantine', tag: 'rejected' }),
  cmsWriteBack({ cms: contentful({ space: 'local', contentTypes: { article: ['hero', 'gallery'] } }) }),
  cmsWriteBack({
    name: 'sanity-write-back',
    cms: sanity({ projectId: 'local', dataset: 'production', documentTypes: { article: ['hero'] } })
  }),
  chat({ service: 'slack', deadLetters: true }),
  publish({ hook: receiver.replace(/received$/, 'revalidate'), windowSeconds: 0.1 }),
  eventBridge(),
  // last: an event waits for others to share an object with
  archive({ windowSeconds: 0.1 })
]

export default defineListener({ processors: everyProcessor(RECEIVER) })
