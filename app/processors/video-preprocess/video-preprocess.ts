import { z } from 'zod'
import type { IdentifiedAsset } from '../../cloudinary/identified-asset.ts'
import type { Config } from '../../config.ts'
import { PermanentError, RetryLaterError } from '../../errors.ts'
import { type AssetEvent, replayOf } from '../../ingest/event.ts'
import type { Processor, ProcessorContext } from '../../processor.ts'
import { byCurrentName } from '../current-name.ts'
import { checkOptions, TAG } from '../processor-options.ts'
import { askFor, readEager, TRANSFORM_MS } from './eager-transformations.ts'
import { findRequested } from './transformation-name.ts'
import { isStarted, type Job, Jobs } from './video-job.ts'

/** As Cloudinary writes it in an address, such as `c_limit,q_auto,w_640`; `|` would begin the next. */
const TRANSFORMATION = z.string().regex(/^[^|\s]+$/, 'a transformation has neither blanks nor "|"')

const Options = z.strictObject({
  name: z.string().default('video-preprocess'),
  /** What every video needs, such as `sp_full_hd/m3u8`: a transformation, and after a slash the format. */
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
   * A larger video is transformed in the background. Cloudinary transforms videos while one waits up to 40 MB on a
   * free plan, which is the default, and up to 300 MB on a paid one.
   */
  largeBytes: z.int().positive().default(40_000_000),
  tagLarge: TAG.optional(),
  tagSmall: TAG.optional(),
  /** Where Cloudinary tells of what it did in the background; default the variable WEBHOOK_URL. */
  notificationUrl: z.url({ protocol: /^https?$/ }).optional()
})

/** @see videoPreprocess */
export type VideoPreprocessOptions = z.input<typeof Options>

const NOT_TOLD =
  'WEBHOOK_URL is not set: how a large video went is only told if a trigger sends eager notifications here'

/** How long tag and state may take, beside the transformations, in seconds. */
const REST_SECONDS = 120

/** How long an `eager` notification may be ahead of what the upload's run stores, in milliseconds. */
const AHEAD_MS = 60_000

/**
 * Transforms every video that is uploaded: a small one at once, a large one in the background, whose `eager`
 * notification then closes the job. A transformation that fails is a dead letter, VIDEO_TRANSFORMATION_FAILED; a
 * redrive of it asks again for what is missing. Costs one call of the Upload API for an upload, one more for a tag.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID
 */
export function videoPreprocess(options: VideoPreprocessOptions, clock: () => number = Date.now): Processor {
  const { name, ...checked } = checkOptions('videoPreprocess', Options, options)
  const preprocessor = new Preprocessor(checked, clock)
  const isTold = ({ WEBHOOK_URL, POLL_CHANNEL }: Pick<Config, 'WEBHOOK_URL' | 'POLL_CHANNEL'>) =>
    Boolean(checked.notificationUrl ?? WEBHOOK_URL ?? POLL_CHANNEL)
  return {
    name,
    on: ['upload', 'eager'],
    // a call that waits, and the one in the background that follows when it has waited in vain
    timeoutSeconds: TRANSFORM_MS / 1000 + REST_SECONDS,
    // Cloudinary keeps audio as video; an upload that does not state its resource type is looked up
    when: ({ type, asset, payload }) =>
      type === 'eager' || ((asset?.resourceType ?? 'video') === 'video' && payload.is_audio !== true),
    start({ config, log }) {
      preprocessor.notificationUrl = checked.notificationUrl ?? config.WEBHOOK_URL
      if (!isTold(config)) log.warn({ processor: name }, NOT_TOLD)
    },
    check: ({ config }) => (isTold(config) ? [] : [{ level: 'warning', message: NOT_TOLD }]),
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

  /** An upload: gauges the video, and has it transformed unless that was done before. */
  async begin(event: AssetEvent, context: ProcessorContext): Promise<string> {
    const { asset } = event
    if (asset === null) return 'skipped: the upload names no asset'
    return byCurrentName(context.cloudinary, asset, (named) => this.#begin(named, event, context))
  }

  async #begin(asset: IdentifiedAsset, event: AssetEvent, context: ProcessorContext): Promise<string> {
    if (asset.resourceType !== 'video') return 'skipped: not a video'
    const { payload } = event
    const known = await new Jobs(context.state).ofUpload(event.id)
    const { size, verdict } = this.#gauge(payload.bytes)
    const job =
      known && isStarted(known, event.run)
        ? known
        : await this.#start({ upload: event.id, size, verdict, asset, made: [] }, event.run, context)
    const tag = job.size === 'large' ? this.#options.tagLarge : this.#options.tagSmall
    const isTagged = Array.isArray(payload.tags) && payload.tags.includes(tag)
    if (tag && !isTagged) await context.cloudinary.addTag(asset, tag)
    return conclude(job)
  }

  /** An `eager` notification: notes how the batch ended. One that an operator runs again asks for what is missing. */
  async close(event: AssetEvent, context: ProcessorContext): Promise<string> {
    const { payload, run, asset } = event
    const jobs = new Jobs(context.state)
    const batchId = String(payload.batch_id)
    const job = await jobs.ofBatch(batchId)
    if (!job) return this.#unknown(event)
    if (job.status === 'failed' && !isStarted(job, run)) {
      return conclude(await this.#start({ ...job, asset: { ...job.asset, ...asset } }, run, context))
    }
    if (job.batchId === batchId) {
      const { status, made, reasons } = readEager(payload.eager, job.transformations)
      const closed = { ...job, status, reasons, made: union(job.made, made), ...this.#end(status) }
      await jobs.save(closed)
      return conclude(closed)
    }
    if (job.status !== 'failed') return 'skipped: the transformations were asked for again since'
    return conclude(job)
  }

  /** Of what size a video is unknown, is large: in the background every one can be transformed. */
  #gauge(bytes: unknown): Pick<Job, 'size' | 'verdict'> {
    if (typeof bytes !== 'number') return { size: 'large', verdict: 'large, of unknown size' }
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
    const { status, batchId, made, reasons, tooLarge } = await askFor({
      cloudinary,
      asset,
      transformations,
      // what was in the background before was so for a reason
      inBackground: before.size === 'large' || before.batchId !== undefined,
      notificationUrl: this.notificationUrl
    })
    const job: Job = {
      upload,
      status,
      size: tooLarge ? 'large' : before.size,
      verdict: tooLarge ? `${verdict}, yet too large for Cloudinary to transform at once` : verdict,
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
   * A batch of somebody else's, such as an upload preset's; or of a call whose worker was killed before it could note
   * the answer: the upload then came again and asked for another batch.
   */
  #unknown({ asset, receivedAt }: AssetEvent): string {
    // Without the asset's id it is not ordered behind the upload, whose run may not have stored the batch yet.
    const until = Date.parse(receivedAt) + AHEAD_MS
    if (asset?.assetId === undefined && this.#clock() < until) {
      throw new RetryLaterError('a batch that is not known yet, of an asset without an id', new Date(until))
    }
    return 'skipped: a batch that this processor did not ask for'
  }

  #end(status: Job['status']): Pick<Job, 'endedAt'> {
    return status === 'processing' ? {} : { endedAt: this.#now() }
  }

  #now(): string {
    return new Date(this.#clock()).toISOString()
  }
}

/** @returns the note; @throws {PermanentError} VIDEO_TRANSFORMATION_FAILED */
function conclude({ status, verdict, transformations, made, reasons }: Job): string {
  if (status === 'done') return `${verdict}: made ${made.join(' | ')}`
  if (status === 'processing') return `${verdict}: asked for ${transformations.join(' | ')} in the background`
  throw new PermanentError(
    `${verdict}: not made: ${reasons.join('; ')}. Mend the video or the transformation, then redrive`,
    { code: 'VIDEO_TRANSFORMATION_FAILED' }
  )
}

const union = (...lists: (readonly string[])[]): string[] => [...new Set(lists.flat())]
