import { toEvents } from '../../../app/ingest/notification.ts'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import type { CloudinaryStandIn, Delivery } from '../../../dev/cloudinary/cloudinary-server.ts'
import { Recorder } from '../../../dev/cloudinary/recorder.ts'

/** Changes of an asset after its upload, each made once the one before was acknowledged. */
const CHANGES = 3

/** Events of one asset: its upload, and its changes. */
export const EVENTS_PER_ASSET = 1 + CHANGES

/** One thing that the load, or the listener itself, did to an asset, and what was told of it. */
export interface Told {
  /** The id that the listener gives the event. */
  id: string
  publicId: string
  /** 0 for the upload, then 1, 2, 3; undefined for what the listener itself changed. */
  step: number | undefined
  /** ISO 8601, UTC. */
  occurredAt: string
  /** The listener answered a delivery of it with 200. */
  acknowledged: boolean
}

export interface LoadOptions {
  cloudinary: CloudinaryStandIn
  assets: number
  /** How often each notification is delivered; default 1. */
  deliveries?: number
  /** Further assets that are uploaded, and no more. */
  uploadedOnly?: readonly string[]
  /** Further assets that live as the others do. */
  further?: readonly string[]
}

/** Uploads assets as a colleague, all at once, and changes each as an editor; and keeps the books on what was told. */
export class Load {
  /** Each event by its id. */
  readonly told = new Map<string, Told>()
  /** Ids of events of the load as they are acknowledged. */
  readonly acknowledged = new Recorder<string>(1_000_000)
  /** How often an event was acknowledged that had been acknowledged before. */
  deliveredAgain = 0
  readonly #options: LoadOptions
  readonly #ended = new Map<string, PromiseWithResolvers<void>>()
  readonly #copies: Promise<unknown>[] = []

  constructor(options: LoadOptions) {
    this.#options = options
    // matches nothing, and so sees every attempt to deliver
    void options.cloudinary.attempted((delivery) => {
      this.#note(delivery)
      return false
    })
  }

  /** How many events it makes. */
  get size(): number {
    const { assets, uploadedOnly = [], further = [] } = this.#options
    return (assets + further.length) * EVENTS_PER_ASSET + uploadedOnly.length
  }

  /** Resolves when every event is acknowledged, or given up by Cloudinary. */
  async run(): Promise<void> {
    const { assets, uploadedOnly = [], further = [] } = this.#options
    const names = [...further, ...Array.from({ length: assets }, (_, index) => `asset-${index}`)]
    await Promise.all([
      ...names.map((publicId) => this.#live(publicId, CHANGES)),
      ...uploadedOnly.map((publicId) => this.#live(publicId, 0))
    ])
    await Promise.all(this.#copies)
  }

  /** Resolves when a part of the events, from 0 to 1, is acknowledged. */
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

  #note(delivery: Delivery): void {
    const told = describe(delivery)
    const known = this.told.get(told.id) ?? told
    this.told.set(told.id, known)
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

/** What a delivery tells: each notification of this load is of one event. */
function describe({ body, status, time }: Delivery): Told {
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
