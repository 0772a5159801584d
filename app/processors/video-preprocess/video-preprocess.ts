import { z } from 'zod'
import type { IdentifiedAsset } from '../../cloudinary/identified-asset.ts'
import type { Config } from '../../config.ts'
import { PermanentError, RetryLaterError } from '../../errors.ts'
import { type AssetEvent, replayOf } from '../../ingest/event.ts'
import type { Processor, ProcessorContext } from '../../processor.ts'
import { byCurrentName } from '../current-name.ts'
import { checkOptions, hasTag, TAG } from '../processor-options.ts'
import { readEager, TRANSFORM_MS, transformVideo } from './eager-transformations.ts'
import { findRequested } from './transformation-name.ts'
import { isStarted, type Job, Jobs } from './video-job.ts'

/**
 * A transformation as in a URL, such as `c_limit,q_auto,w_640`. `|` separates transformations in a request.
 */
const TRANSFORMATION = z.string().regex(/^[^|\s]+$/, 'a transformation must not contain whitespace or "|"')

const Options = z.strictObject({
  name: z.string().default('video-preprocess'),
  /** Transformations of every video, with the format after a slash, such as `sp_full_hd/m3u8`. */
  transformations: z
    .array(
      z.union([
        TRANSFORMATION,
        z
          .strictObject({ transformation: TRANSFORMATION, format: z.string().regex(/^[a-z0-9]+$/) })
          .transform(({ transformation, format }) => `${transformation}/${format}`)
      ])
    )
    .min(1),
  /**
   * Larger videos are transformed in the background. Cloudinary's limit for synchronous transformations is 40
   * MB on a free plan, 300 MB on a paid one.
   */
  largeBytes: z.int().positive().default(40_000_000),
  tagLarge: TAG.optional(),
  tagSmall: TAG.optional(),
  /** Where Cloudinary sends `eager` notifications. (Default: the variable WEBHOOK_URL) */
  notificationUrl: z.url({ protocol: /^https?$/ }).optional()
})

/** @see videoPreprocess */
export type VideoPreprocessOptions = z.input<typeof Options>

const NO_NOTIFICATIONS =
  'WEBHOOK_URL is not set: jobs of large videos stay open unless a trigger sends eager notifications here'

/** Time for everything except the transformations, in seconds. */
const OTHER_SECONDS = 120

/** Maximum time by which an `eager` notification may arrive before the upload's run has stored the batch. */
const MAX_LEAD_MS = 60_000

/**
 * Transforms every uploaded video: a small one synchronously, a large one in the background, until its
 * `eager` notification closes the job. A failed transformation is a dead letter, VIDEO_TRANSFORMATION_FAILED;
 * a redrive requests the missing ones again. Costs one call of the Upload API per upload, and one per tag.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID
 */
export function videoPreprocess(options: VideoPreprocessOptions, clock: () => number = Date.now): Processor {
  const { name, ...checked } = checkOptions('videoPreprocess', Options, options)
  const preprocessor = new Preprocessor(checked, clock)
  const isNotified = ({ WEBHOOK_URL, POLL_CHANNEL }: Pick<Config, 'WEBHOOK_URL' | 'POLL_CHANNEL'>) =>
    Boolean(checked.notificationUrl ?? WEBHOOK_URL ?? POLL_CHANNEL)
  return {
    name,
    on: ['upload', 'eager'],
    timeoutSeconds: TRANSFORM_MS / 1000 + OTHER_SECONDS,
    // audio has the resource type video; `begin` looks up a missing resource type
    when: ({ type, asset, payload }) =>
      type === 'eager' || ((asset?.resourceType ?? 'video') === 'video' && payload.is_audio !== true),
    start({ config, log }) {
      preprocessor.notificationUrl = checked.notificationUrl ?? config.WEBHOOK_URL
      if (!isNotified(config)) log.warn({ processor: name }, NO_NOTIFICATIONS)
    },
    check: ({ config }) => (isNotified(config) ? [] : [{ level: 'warning', message: NO_NOTIFICATIONS }]),
    handle: (event, context) =>
      event.type === 'upload' ? preprocessor.begin(event, context) : preprocessor.close(event, context)
  }
}

class Preprocessor {
  notificationUrl: string | undefined
  readonly #options: Omit<z.output<typeof Options>, 'name'>
  readonly #clock: () => number

  constructor(options: Omit<z.output<typeof Options>, 'name'>, clock: () => number) {
    this.#options = options
    this.#clock = clock
  }

  /** Handles an upload: requests transformations, unless an earlier run did. */
  async begin(event: AssetEvent, context: ProcessorContext): Promise<string> {
    const { asset } = event
    if (asset === null) return 'skipped: the notification names no asset'
    return byCurrentName(context.cloudinary, asset, (named) => this.#begin(named, event, context))
  }

  async #begin(asset: IdentifiedAsset, event: AssetEvent, context: ProcessorContext): Promise<string> {
    if (asset.resourceType !== 'video') return 'skipped: not a video'
    const { payload } = event
    const known = await new Jobs(context.state).ofUpload(event.id)
    const { size, verdict } = this.#sizeOf(payload.bytes)
    const job =
      known && isStarted(known, event.run)
        ? known
        : await this.#start({ upload: event.id, size, verdict, asset, made: [] }, event.run, context)
    const tag = job.size === 'large' ? this.#options.tagLarge : this.#options.tagSmall
    if (tag && !hasTag(payload, tag)) await context.cloudinary.addTag(asset, tag)
    return noteOf(job)
  }

  /**
   * Handles an `eager` notification: closes the job. A redrive or replay requests missing transformations
   * again.
   */
  async close(event: AssetEvent, context: ProcessorContext): Promise<string> {
    const { payload, run, asset } = event
    const jobs = new Jobs(context.state)
    const batchId = String(payload.batch_id)
    const job = await jobs.ofBatch(batchId)
    if (!job) return this.#unknown(event)
    if (job.status === 'failed' && !isStarted(job, run)) {
      return noteOf(await this.#start({ ...job, asset: { ...job.asset, ...asset } }, run, context))
    }
    if (job.batchId === batchId) {
      const { status, made, reasons } = readEager(payload.eager, job.transformations)
      const closed = { ...job, status, reasons, made: union(job.made, made), ...this.#end(status) }
      await jobs.save(closed)
      return noteOf(closed)
    }
    if (job.status !== 'failed') return 'skipped: a later request replaced this batch'
    return noteOf(job)
  }

  /**
   * Returns the size class of a video. One of unknown size counts as large: transformations in the background
   * have no limit.
   */
  #sizeOf(bytes: unknown): Pick<Job, 'size' | 'verdict'> {
    if (typeof bytes !== 'number') return { size: 'large', verdict: 'large, unknown size' }
    const size = bytes > this.#options.largeBytes ? 'large' : 'small'
    return { size, verdict: `${size}, ${(bytes / 1e6).toFixed(1)} MB` }
  }

  async #start(
    before: Pick<Job, 'upload' | 'size' | 'verdict' | 'asset' | 'made' | 'batchId'>,
    run: AssetEvent['run'],
    { cloudinary, state }: ProcessorContext
  ): Promise<Job> {
    const { upload, verdict } = before
    const asset = await cloudinary.identify(before.asset)
    const wanted = this.#options.transformations
    const madeBefore = before.made.map((name) => findRequested(name, wanted))
    const missing = wanted.filter((transformation) => !madeBefore.includes(transformation))
    const transformations = missing.length > 0 ? missing : wanted
    const startedAt = this.#now()
    const replay = replayOf(run)
    const { status, batchId, made, reasons, tooLarge } = await transformVideo({
      cloudinary,
      asset,
      transformations,
      // a small video with a batch was too slow or too large before
      inBackground: before.size === 'large' || before.batchId !== undefined,
      notificationUrl: this.notificationUrl
    })
    const job: Job = {
      upload,
      status,
      size: tooLarge ? 'large' : before.size,
      verdict: tooLarge ? `${verdict}, too large for Cloudinary to transform synchronously` : verdict,
      asset,
      transformations,
      made: union(before.made, made),
      reasons,
      ...(batchId && { batchId }),
      ...(run && { run: run.id }),
      ...(replay && { replay }),
      startedAt,
      ...this.#end(status)
    }
    await new Jobs(state).save(job)
    return job
  }

  /**
   * Handles a batch without a job: another client requested it (such as an upload preset), or a worker was
   * killed before it saved the job, and the redelivered upload requested a new batch.
   */
  #unknown({ asset, receivedAt }: AssetEvent): string {
    // without an asset id, the event does not wait for the upload, whose run may not have saved the job yet
    const until = Date.parse(receivedAt) + MAX_LEAD_MS
    if (asset?.assetId === undefined && this.#clock() < until) {
      throw new RetryLaterError(
        'unknown batch of an asset without an id: its job may not be saved yet',
        new Date(until)
      )
    }
    return 'skipped: this processor did not request the batch'
  }

  #end(status: Job['status']): Pick<Job, 'endedAt'> {
    return status === 'processing' ? {} : { endedAt: this.#now() }
  }

  #now(): string {
    return new Date(this.#clock()).toISOString()
  }
}

/** @throws {PermanentError} VIDEO_TRANSFORMATION_FAILED */
function noteOf({ status, verdict, transformations, made, reasons }: Job): string {
  if (status === 'done') return `${verdict}: made ${made.join(' | ')}`
  if (status === 'processing') return `${verdict}: requested ${transformations.join(' | ')} in the background`
  throw new PermanentError(
    `${verdict}: failed: ${reasons.join('; ')}. Fix the video or the transformation, then redrive`,
    { code: 'VIDEO_TRANSFORMATION_FAILED' }
  )
}

const union = (...lists: (readonly string[])[]): string[] => [...new Set(lists.flat())]
