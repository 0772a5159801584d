import { z } from 'zod'
import type { Config } from '../../config.ts'
import { EVENT_TYPES } from '../../ingest/event.ts'
import type { Processor } from '../../processor.ts'
import { type CloudEvent, toCloudEvent } from '../cloud-event.ts'
import { checkOptions } from '../processor-options.ts'
import { archiveObjects } from './archive-object.ts'
import { ArchiveStore } from './archive-store.ts'
import { Coalescer, type CoalescerOptions } from './coalescer.ts'

/** Bucket names. Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const BUCKET = /^(?=.{3,63}$)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])$/

/** Maximum size of an object before its compression, in characters. */
const MAXIMUM_SIZE = 16 * 1024 * 1024

const Options = z.strictObject({
  name: z.string().default('archive'),
  on: z
    .array(z.enum([...EVENT_TYPES, '*']))
    .min(1)
    .default(['*']),
  /** Archive the listener's own changes too. */
  ownChanges: z.boolean().default(true),
  /** (Default: the variable ARCHIVE_BUCKET) */
  bucket: z.string().regex(BUCKET, 'must be the name of an S3 bucket').optional(),
  /** Region of the bucket. (Default: AWS_REGION) */
  region: z
    .string()
    .regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/, 'must be an AWS region')
    .optional(),
  /** Beginning of the keys. */
  prefix: z
    .string()
    .max(500)
    .regex(
      /^(?:[\w!.*'()-]+\/)*$/,
      'must end with "/", and consist of letters, digits, and any of ! - _ . * \' ( )'
    )
    .default('events/'),
  /** Maximum time that an event waits for others, to be stored with them. */
  windowSeconds: z.number().min(0).max(60).default(2),
  /** Events that are stored at once, before the window ends. (Default: half of WORKER_CONCURRENCY) */
  maximumEvents: z.int().min(1).max(1000).optional()
})

/** @see archive */
export type ArchiveOptions = z.input<typeof Options>

type StartTimer = CoalescerOptions<CloudEvent, unknown>['startTimer']

/**
 * Stores every event in S3: compressed JSON lines by day, in the format of CloudEvents. Events in flight share an
 * object, and each is processed once its object is stored. A retry may store an event twice: readers keep one per
 * `id`. Costs no Cloudinary calls; one request of S3 per object.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID
 */
export function archive(options: ArchiveOptions = {}, startTimer?: StartTimer): Processor {
  const { name, on, ownChanges, bucket, region, prefix, windowSeconds, maximumEvents } = checkOptions(
    'archive',
    Options,
    options
  )
  const bucketIn = (config: Config) => bucket ?? config.ARCHIVE_BUCKET!
  let started: { store: ArchiveStore; events: Coalescer<CloudEvent, Map<string, string>> } | undefined
  return {
    name,
    on,
    ownChanges,
    packages: ['@aws-sdk/client-s3'],
    ...(bucket === undefined && { requires: ['ARCHIVE_BUCKET'] }),
    async start({ config }) {
      const store = await ArchiveStore.open(bucketIn(config), region)
      const events = new Coalescer({
        store: (batch: readonly CloudEvent[]) => storeAll(store, prefix, batch),
        windowMs: windowSeconds * 1000,
        // waiting events take lanes of the worker, so under load it must not wait for the window
        maximumItems: maximumEvents ?? Math.max(1, Math.floor(config.WORKER_CONCURRENCY / 2)),
        maximumSize: MAXIMUM_SIZE,
        sizeOf: (event) => JSON.stringify(event).length,
        ...(startTimer && { startTimer })
      })
      started = { store, events }
    },
    stop() {
      started?.events.flush()
      started?.store.close()
    },
    async check({ config, signal }) {
      const store = await ArchiveStore.open(bucketIn(config), region)
      try {
        return [await store.check(signal)]
      } finally {
        store.close()
      }
    },
    async handle(event, { config, signal }) {
      const archived = toCloudEvent(event)
      const keys = await started!.events.add(archived, signal)
      return `stored in s3://${bucketIn(config)}/${keys.get(archived.id)}`
    }
  }
}

/** Returns the key of each event's object, by the event's id. */
async function storeAll(
  store: ArchiveStore,
  prefix: string,
  events: readonly CloudEvent[]
): Promise<Map<string, string>> {
  const keys = new Map<string, string>()
  for (const object of await archiveObjects(prefix, events)) {
    await store.put(object)
    for (const id of object.ids) keys.set(id, object.key)
  }
  return keys
}
