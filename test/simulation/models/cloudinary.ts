import { createHash } from 'node:crypto'
import type { Change } from '../ledger/change-tracker.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Network } from '../network.ts'
import type { ChangePlan, CloudPlan, LimitPlan } from '../plan.ts'
import { between, chanceOf } from '../random.ts'
import { type Scheduler, START } from '../scheduler.ts'
import { CloudinaryApi, type CloudinaryApiOptions } from './cloudinary-api.ts'
import { applyChange, type Cloud, changedAssets, type Key } from './cloudinary-assets.ts'
import type { Delivery } from './delivery.ts'
import { type Asset, bodyOf } from './notification-bodies.ts'
import { PollChannel } from './poll-channel.ts'

export interface CloudinaryOptions {
  scheduler: Scheduler
  network: Network
  ledger: Ledger
  seed: number
  clouds: readonly CloudPlan[]
  limits: readonly LimitPlan[]
  /** Delivers by HTTP; answers a status, or undefined without a response. */
  post: (delivery: Delivery, answer: (status: number | undefined) => void, chance: number) => void
}

const MINUTE_MS = 60_000
const TIMEOUT_MS = 20_000

/**
 * A model of Cloudinary's known behaviour: assets with tags, metadata and context; notifications that are
 * signed, retried three times, lost or sent without fields; changes made by the listener itself; rate limits;
 * the lag of the search index.
 * Sources: https://cloudinary.com/documentation/notifications and the Node SDK; `dev/cloudinary/` has the
 * stand-in that answers over HTTP.
 */
export class CloudinaryModel {
  readonly clouds = new Map<string, Cloud>()
  /** Notifications that may still be delivered. */
  pending = 0
  readonly #options: CloudinaryOptions
  #requests = 0

  constructor(options: CloudinaryOptions) {
    this.#options = options
    for (const plan of options.clouds) {
      const channel = new PollChannel(options.scheduler)
      this.clouds.set(plan.name, { plan, keys: [keyOf(plan.name, 1, START)], assets: new Map(), channel })
    }
  }

  /** Adds a key; notifications are signed with the old one until it is disabled. */
  addKey(cloudName: string): Key {
    const { keys } = this.clouds.get(cloudName)!
    const key = keyOf(cloudName, keys.length + 1, this.#options.scheduler.now)
    keys.push(key)
    return key
  }

  disableOldKey(cloudName: string): void {
    const cloud = this.clouds.get(cloudName)!
    if (cloud.keys.length > 1) cloud.keys.shift()
  }

  /** Returns the period in which Cloudinary limited calls, or was down, at some time of a range. */
  outageOf(cloudName: string, from: number, until: number): object | undefined {
    const limit = this.#options.limits.find(
      (each) => each.cloud === cloudName && each.from <= until && from < each.until
    )
    return limit ?? this.#options.network.outageOf(`cloudinary ${cloudName}`, from, until)
  }

  /** A user changes something. */
  change(plan: ChangePlan): void {
    const cloud = this.clouds.get(plan.cloud)!
    const { now } = this.#options.scheduler
    const changed = changedAssets(cloud, plan).filter((asset) => applyChange(plan, asset, cloud, now))
    if (changed.length > 0 || plan.kind === 'create_folder')
      this.#notify(cloud, plan.kind, changed, plan, undefined)
  }

  #notify(
    cloud: Cloud,
    kind: ChangePlan['kind'],
    assets: readonly Asset[],
    { variant }: Pick<ChangePlan, 'variant'>,
    ownKey: string | undefined
  ): void {
    const { scheduler, ledger, seed } = this.#options
    const { plan } = cloud
    const number = ++this.#requests
    const { body, isTimeless, statesOrigin } = bodyOf(kind, assets, {
      cloud: plan.name,
      isModern: plan.body === 'modern',
      number,
      now: scheduler.now,
      variant,
      author: ownKey === undefined ? { source: 'ui', id: 'editor' } : { source: 'api', id: ownKey }
    })
    const changes = (assets.length > 0 ? assets : [undefined]).map((asset) =>
      ledger.changed({
        number,
        cloud: plan.name,
        type: kind,
        asset,
        at: scheduler.now,
        isOwn: ownKey !== undefined,
        ownKeySince: cloud.keys.find(({ apiKey }) => apiKey === ownKey)?.since ?? START,
        statesOrigin,
        isTimeless,
        body
      })
    )
    if (chanceOf(seed, `lost ${number}`) < plan.lossRate) {
      ledger.tell(`${plan.name} gives up notification ${number} without a delivery`)
      return
    }
    this.pending++
    const delay = between(100, 3000, chanceOf(seed, `delay ${number}`))
    scheduler.at(scheduler.now + delay, undefined, 'notify', () => {
      if (plan.delivery === 'poll') {
        this.pending--
        for (const change of changes) change.isInChannel = true
        cloud.channel.add(this.#sign(cloud, body, changes), changes)
      } else this.#attempt(cloud, number, body, changes, 0)
    })
  }

  #sign(cloud: Cloud, body: Buffer, changes: readonly Change[], at = this.#options.scheduler.now): Delivery {
    const timestamp = String(Math.floor(at / 1000))
    const { apiSecret } = cloud.keys[0]!
    const signature = createHash(cloud.plan.algorithm)
      .update(body)
      .update(timestamp)
      .update(apiSecret)
      .digest('hex')
    this.#options.ledger.changes.signed(changes, Number(timestamp))
    return { body, signature, timestamp, isGenuine: true }
  }

  #attempt(
    cloud: Cloud,
    number: number,
    body: Buffer,
    changes: readonly Change[],
    attempt: number,
    before?: Delivery
  ): void {
    const { scheduler, post, seed, ledger } = this.#options
    const { plan } = cloud
    const delivery = before && !plan.signsRetriesAnew ? before : this.#sign(cloud, body, changes)
    let isOver = false
    const end = (status: number | undefined) => {
      if (isOver) return
      isOver = true
      if (status === 200) {
        this.pending--
        for (const change of changes) change.isAcknowledged = true
        return
      }
      const pause = plan.retryMinutes[attempt]
      if (pause === undefined) {
        this.pending--
        ledger.tell(`${plan.name} gives up notification ${number}`)
        return
      }
      scheduler.at(scheduler.now + pause * MINUTE_MS, undefined, 'retry', () =>
        this.#attempt(cloud, number, body, changes, attempt + 1, delivery)
      )
    }
    scheduler.at(scheduler.now + TIMEOUT_MS, undefined, 'timeout', () => end(undefined))
    post(delivery, end, chanceOf(seed, `post ${number} ${attempt}`))
  }

  /** Makes the official SDK, and `fetch`, call this model. Returns what restores them. */
  install(): () => void {
    const { scheduler, network, limits, ledger } = this.#options
    const onOwnChange: CloudinaryApiOptions['onOwnChange'] = (cloud, kind, asset, apiKey) => {
      ledger.wrote(asset.asset_id)
      this.#notify(cloud, kind, [asset], { variant: 0 }, apiKey)
    }
    return new CloudinaryApi({ scheduler, network, limits, clouds: this.clouds, onOwnChange }).install()
  }

  /** Returns a forged delivery: nothing of it may be accepted. */
  forge(cloudName: string, kind: 'tampered' | 'stale' | 'unsigned' | 'border'): Delivery {
    const cloud = this.clouds.get(cloudName)!
    const { now } = this.#options.scheduler
    const body = Buffer.from(
      JSON.stringify({
        notification_type: 'delete',
        resources: [{ asset_id: 'f'.repeat(32), public_id: 'forged' }]
      })
    )
    const signedAt = kind === 'stale' ? now - 3 * 3_600_000 : now
    const signed = { ...this.#sign(cloud, body, [], signedAt), isGenuine: false }
    switch (kind) {
      case 'tampered':
        return { ...signed, body: Buffer.from(body.toString().replace('forged', 'tamper')) }
      case 'unsigned':
        return { ...signed, signature: '' }
      case 'border':
        return {
          ...signed,
          body: Buffer.concat([body, Buffer.from(signed.timestamp.slice(0, 1))]),
          timestamp: signed.timestamp.slice(1)
        }
      case 'stale':
        return signed
    }
  }
}

const keyOf = (cloudName: string, number: number, since: number): Key => ({
  since,
  apiKey: `${cloudName}-key-${number}`,
  apiSecret: `${cloudName}-SECRET-${number}-${'s3cr3t'.repeat(3)}`
})
