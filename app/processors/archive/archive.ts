import { z } from 'zod'
import type { Config } from '../../config.ts'
import { EVENT_TYPES } from '../../ingest/event.ts'
import type { Processor } from '../../processor.ts'
import { Batcher, type BatcherOptions, type Settlement } from '../../queue/batcher.ts'
import { type CloudEvent, toCloudEvent } from '../cloud-event.ts'
import { checkOptions } from '../processor-options.ts'
import { within } from '../send-together.ts'
import { archiveObjects } from './archive-object.ts'
import { ArchiveStore } from './archive-store.ts'

/** Bucket names. Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const BUCKET = /^(?=.{3,63}$)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])$/

/** Maximum size of the events of an object before its compression, in characters. */
const MAX_SIZE = 16 * 1024 * 1024

/** Maximum number of objects that are stored at the same time. */
const MAX_CALLS = 8

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

interface ArchiveTools {
  /** Calls a function at the end of the window. */
  schedule?: BatcherOptions<CloudEvent, string>['schedule']
  /** Maximum time for a response of S3, in milliseconds. */
  timeoutMs?: number
}

/**
 * Stores every event in S3: compressed JSON lines by day, in the format of CloudEvents. Events in flight share an
 * object, and each is processed once its object is stored. A retry may store an event twice: readers keep one per
 * `id`. Costs no Cloudinary calls; one request of S3 per object.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID
 */
export function archive(options: ArchiveOptions = {}, { schedule, timeoutMs }: ArchiveTools = {}): Processor {
  const { name, on, ownChanges, bucket, region, prefix, windowSeconds, maximumEvents } = checkOptions(
    'archive',
    Options,
    options
  )
  const bucketIn = (config: Config) => bucket ?? config.ARCHIVE_BUCKET!
  let started: { store: ArchiveStore; events: Batcher<CloudEvent, string> } | undefined
  return {
    name,
    on,
    ownChanges,
    packages: ['@aws-sdk/client-s3'],
    ...(bucket === undefined && { requires: ['ARCHIVE_BUCKET'] }),
    async start({ config }) {
      const store = await ArchiveStore.open(bucketIn(config), region, timeoutMs)
      const events = new Batcher<CloudEvent, string>({
        send: (batch) => storeAll(store, prefix, batch),
        // unlike other batches, it waits although no call is in flight: fewer and larger objects are worth a delay
        schedule: schedule ?? within(windowSeconds * 1000),
        // waiting events take lanes of the worker, so under load it must not wait for the window
        fullAtOnce: true,
        maximumItems: maximumEvents ?? Math.max(1, Math.floor(config.WORKER_CONCURRENCY / 2)),
        maximumCalls: MAX_CALLS,
        maximumBytes: MAX_SIZE,
        sizeOf: (event) => JSON.stringify(event).length
      })
      started = { store, events }
    },
    stop() {
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
      const key = await started!.events.add(archived, signal)
      return `stored in s3://${bucketIn(config)}/${key}`
    }
  }
}

/** Stores the events of each day in an object of its own. Returns the key for each event. */
async function storeAll(
  store: ArchiveStore,
  prefix: string,
  events: readonly CloudEvent[]
): Promise<Settlement<string>[]> {
  const settlements = new Map<string, Settlement<string>>()
  for (const { ids, key, body } of await archiveObjects(prefix, events)) {
    const settlement = await store.put({ key, body }).then(
      () => ({ ok: true as const, value: key }),
      (error: unknown) => ({ ok: false as const, error })
    )
    for (const id of ids) settlements.set(id, settlement)
  }
  return events.map(({ id }) => settlements.get(id)!)
}
