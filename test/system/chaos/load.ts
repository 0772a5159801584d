import { toEvents } from '../../../app/ingest/notification.ts'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import type { CloudinaryStandIn, Delivery } from '../../../dev/cloudinary/cloudinary-server.ts'
import { Recorder } from '../../../dev/cloudinary/recorder.ts'

/** Changes of an asset after its upload. Each follows the acknowledgement of the previous one. */
const CHANGES = 3

/** Events of one asset: its upload and its changes. */
export const EVENTS_PER_ASSET = 1 + CHANGES

/** An event of a change by the load or by the listener itself. */
export interface LoadEvent {
  /** The id that the listener gives the event. */
  id: string
  publicId: string
  /** 0 for the upload, then 1, 2, 3; undefined for a change by the listener. */
  step: number | undefined
  /** ISO 8601, UTC. */
  occurredAt: string
  /** Whether the listener answered a delivery with 200. */
  acknowledged: boolean
}

export interface LoadOptions {
  cloudinary: CloudinaryStandIn
  assets: number
  /** Deliveries of each notification. (Default: 1) */
  deliveries?: number
  /** Additional assets that are only uploaded. */
  uploadedOnly?: readonly string[]
  /** Additional assets that are uploaded and changed like the others. */
  further?: readonly string[]
}

/** Uploads assets as a colleague, all at once, changes each as an editor, and records the events. */
export class Load {
  /** Events by id. */
  readonly events = new Map<string, LoadEvent>()
  /** Ids of acknowledged events of the load, in order. */
  readonly acknowledged = new Recorder<string>(1_000_000)
  /** Number of repeated acknowledgements. */
  deliveredAgain = 0
  readonly #options: LoadOptions
  readonly #ended = new Map<string, PromiseWithResolvers<void>>()
  readonly #copies: Promise<unknown>[] = []

  constructor(options: LoadOptions) {
    this.#options = options
    // never matches, so it is called for every delivery attempt
    void options.cloudinary.attempted((delivery) => {
      this.#record(delivery)
      return false
    })
  }

  /** Number of events of the load. */
  get size(): number {
    const { assets, uploadedOnly = [], further = [] } = this.#options
    return (assets + further.length) * EVENTS_PER_ASSET + uploadedOnly.length
  }

  /** Resolves when every event is acknowledged or given up by Cloudinary. */
  async run(): Promise<void> {
    const { assets, uploadedOnly = [], further = [] } = this.#options
    const names = [...further, ...Array.from({ length: assets }, (_, index) => `asset-${index}`)]
    await Promise.all([
      ...names.map((publicId) => this.#live(publicId, CHANGES)),
      ...uploadedOnly.map((publicId) => this.#live(publicId, 0))
    ])
    await Promise.all(this.#copies)
  }

  /** Resolves when a fraction (0 to 1) of the events is acknowledged. */
  async reached(part: number): Promise<void> {
    const { items } = this.acknowledged
    await this.acknowledged.when(() => items.length >= part * this.size)
  }

  async #live(publicId: string, changes: number): Promise<void> {
    const { cloudinary } = this.#options
    cloudinary.as().upload({ publicId, resourceType: 'image' })
    await this.#end(publicId, 0).promise
    for (let step = 1; step <= changes; step++) {
      cloudinary.ui().setMetadata(publicId, { cms_id: String(step) })
      await this.#end(publicId, step).promise
    }
  }

  #end(publicId: string, step: number): PromiseWithResolvers<void> {
    const name = `${publicId} ${step}`
    const end = this.#ended.get(name) ?? Promise.withResolvers<void>()
    this.#ended.set(name, end)
    return end
  }

  #record(delivery: Delivery): void {
    const told = describe(delivery)
    const known = this.events.get(told.id) ?? told
    this.events.set(told.id, known)
    const wasAcknowledged = known !== told && known.acknowledged
    known.acknowledged ||= told.acknowledged
    if (known.step === undefined) return
    if (told.acknowledged && wasAcknowledged) this.deliveredAgain++
    if (told.acknowledged && !wasAcknowledged) {
      this.acknowledged.add(known.id)
      this.acknowledged.settle(known.id)
      for (let copy = 1; copy < (this.#options.deliveries ?? 1); copy++) {
        this.#copies.push(this.#options.cloudinary.notify(delivery.body))
      }
    }
    if (delivery.outcome !== 'will_retry') this.#end(known.publicId, known.step).resolve()
  }
}

/** Returns the event of a delivery: each notification of this load has exactly one. */
function describe({ body, status, time }: Delivery): LoadEvent {
  const [event] = toEvents(Buffer.from(body), {
    environment: LOCAL_CLOUDINARY.cloudName,
    isOwnKey: (apiKey) => apiKey === LOCAL_CLOUDINARY.apiKey,
    receivedAt: new Date(time),
    signedAt: Math.floor(time / 1000)
  })
  const { id, type, asset, origin, occurredAt, payload } = event!
  const changed = payload.new_metadata as { cms_id?: string } | undefined
  return {
    id,
    publicId: asset?.publicId ?? '',
    step: origin.own ? undefined : type === 'upload' ? 0 : Number(changed?.cms_id),
    occurredAt,
    acknowledged: status === 200
  }
}
