import { createHash } from 'node:crypto'
import { Agent } from 'node:http'
import { loadSdk } from '../../../app/cloudinary/sdk.ts'
import type { Change } from '../ledger/change-book.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Network } from '../network.ts'
import type { ChangePlan, CloudPlan, LimitPlan } from '../plan.ts'
import { between, chanceOf } from '../random.ts'
import { type Scheduler, START } from '../scheduler.ts'
import type { Delivery } from './delivery.ts'
import { type Asset, bodyOf, type Fields } from './notification-bodies.ts'
import { PollChannel } from './poll-channel.ts'
import { searchAssets } from './search-index.ts'

export interface Key {
  apiKey: string
  apiSecret: string
}

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

interface Cloud {
  plan: CloudPlan
  /** Active keys; notifications are signed with the first, the oldest. */
  keys: Key[]
  assets: Map<string, Asset>
  channel: PollChannel
}

type SdkOptions = { cloud_name: string; api_key: string; agent: Agent; resource_type?: string; type?: string }

const MINUTE_MS = 60_000
const TIMEOUT_MS = 20_000

/**
 * Cloudinary as far as it is known: assets with tags, metadata and context; notifications that are signed, retried
 * three times, lost or sent without fields; own changes; rate limits; the lag of the search index.
 * Sources: https://cloudinary.com/documentation/notifications and the Node SDK; `dev/cloudinary/` has the
 * stand-in that answers over HTTP.
 */
export class CloudinaryModel {
  readonly clouds = new Map<string, Cloud>()
  /** Notifications that may still be delivered. */
  pending = 0
  /** Changes of state made with the listener's keys. */
  ownWrites = 0
  readonly #options: CloudinaryOptions
  #requests = 0

  constructor(options: CloudinaryOptions) {
    this.#options = options
    for (const plan of options.clouds) {
      const channel = new PollChannel(options.scheduler)
      this.clouds.set(plan.name, { plan, keys: [keyOf(plan.name, 1)], assets: new Map(), channel })
    }
  }

  /** Adds a key; notifications are signed with the old one until it is disabled. */
  addKey(cloudName: string): Key {
    const { keys } = this.clouds.get(cloudName)!
    const key = keyOf(cloudName, keys.length + 1)
    keys.push(key)
    return key
  }

  disableOldKey(cloudName: string): void {
    const cloud = this.clouds.get(cloudName)!
    if (cloud.keys.length > 1) cloud.keys.shift()
  }

  /** Returns the period in which Cloudinary limited calls, or was down, at some time of a range. */
  troubleOf(cloudName: string, from: number, until: number): object | undefined {
    const limit = this.#options.limits.find(
      (each) => each.cloud === cloudName && each.from <= until && from < each.until
    )
    return limit ?? this.#options.network.outageOf(`cloudinary ${cloudName}`, from, until)
  }

  /** A user changes something. */
  change(plan: ChangePlan): void {
    const cloud = this.clouds.get(plan.cloud)!
    const assets = this.#assetsOf(cloud, plan)
    const changed = assets.filter((asset) => this.#apply(plan.kind, asset, plan, cloud))
    if (changed.length > 0 || plan.kind === 'create_folder')
      this.#notify(cloud, plan.kind, changed, plan, undefined)
  }

  #assetsOf({ assets, plan: { name } }: Cloud, { kind, asset, variant }: ChangePlan): Asset[] {
    if (kind === 'create_folder') return []
    const numbers =
      kind === 'resource_tags_changed' && variant % 5 === 0 ? [asset, asset + 1, asset + 2] : [asset]
    return numbers.flatMap((number) => {
      const id = assetIdOf(name, number)
      const known = assets.get(id)
      if (known || kind !== 'upload') return known ?? []
      // a video has the public id of each image: neither may be taken for the other
      const resourceType = number % 4 === 3 ? 'video' : 'image'
      const created: Asset = {
        asset_id: id,
        public_id: `asset-${number - (number % 2)}`,
        resource_type: number % 2 === 1 ? 'raw' : resourceType,
        type: 'upload',
        version: 0,
        etag: '',
        tags: [],
        tagChange: { added: [], removed: [] },
        metadata: {},
        context: {},
        created_at: '',
        uploaded_at: '',
        last_updated: {}
      }
      assets.set(id, created)
      return created
    })
  }

  /** Returns whether the asset was changed. */
  #apply(kind: ChangePlan['kind'], asset: Asset, { variant }: ChangePlan, { assets }: Cloud): boolean {
    const now = isoOf(this.#options.scheduler.now)
    switch (kind) {
      case 'upload': {
        const version = Math.floor(this.#options.scheduler.now / 1000)
        const etag = createHash('md5').update(`content ${variant}`).digest('hex')
        // the same bytes again within a second leave the asset as it is
        if (asset.version === version && asset.etag === etag) return false
        Object.assign(asset, { version, etag, uploaded_at: now, created_at: asset.created_at || now })
        return true
      }
      case 'resource_tags_changed': {
        const tag = `tag-${variant % 3}`
        const isThere = asset.tags.includes(tag)
        asset.tags = isThere ? asset.tags.filter((each) => each !== tag) : [...asset.tags, tag]
        asset.tagChange = isThere ? { added: [], removed: [tag] } : { added: [tag], removed: [] }
        asset.last_updated.tags_updated_at = now
        return true
      }
      case 'resource_metadata_changed':
        asset.previousMetadata = asset.metadata
        asset.metadata = { ...asset.metadata, cms_id: `cms-${variant}` }
        asset.last_updated.metadata_updated_at = now
        return true
      case 'resource_context_changed':
        asset.context = { ...asset.context, caption: `caption-${variant}` }
        asset.last_updated.context_updated_at = now
        return true
      case 'rename':
        asset.previousPublicId = asset.public_id
        asset.public_id = `renamed-${asset.asset_id.slice(-4)}-${variant}`
        return true
      case 'delete':
        assets.delete(asset.asset_id)
        return true
      default:
        return true
    }
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

  /** Carries out a call of the SDK by the process that runs. */
  #call(name: string, options: SdkOptions, carryOut: (cloud: Cloud) => unknown): Promise<unknown> {
    const { network, scheduler, limits } = this.#options
    const aborted = new AbortController()
    const request = { isSimulated: true, destroy: () => aborted.abort(), once: () => {} }
    ;(options.agent as unknown as { addRequest: (request: object) => void }).addRequest(request)
    const cloudName = options.cloud_name
    return network.call({
      service: `cloudinary ${cloudName}`,
      operation: name,
      signal: aborted.signal,
      fail: sdkError,
      perform: (answer) => {
        const cloud = this.clouds.get(cloudName)!
        const { now } = scheduler
        const limit = limits.find((each) => each.cloud === cloudName && each.from <= now && now < each.until)
        if (limit && !network.isCalm) {
          const end = limit.statesEnd
            ? ` Try again on ${isoOf(limit.until).slice(0, 19).replace('T', ' ')} UTC`
            : ''
          return answer({
            error: {
              http_code: 420,
              message: `Rate Limit Exceeded. Limit of 500 api operations reached.${end}`
            }
          })
        }
        if (!cloud.keys.some(({ apiKey }) => apiKey === options.api_key)) {
          return answer({ error: { http_code: 401, message: 'unknown api_key' } })
        }
        try {
          answer({ value: carryOut(cloud) })
        } catch (error) {
          answer({ error })
        }
      }
    })
  }

  /** A change with the listener's key. Returns the public ids that were found. */
  #own(
    cloud: Cloud,
    ids: readonly string[],
    options: SdkOptions,
    kind: ChangePlan['kind'],
    apply: (asset: Asset) => boolean
  ): object {
    const found = ids.flatMap((id) => findByName(cloud, id, options) ?? [])
    for (const asset of found) {
      if (!apply(asset)) continue
      this.ownWrites++
      this.#options.ledger.wrote(asset.asset_id)
      this.#notify(cloud, kind, [asset], { variant: 0 }, options.api_key)
    }
    return { public_ids: found.map(({ public_id }) => public_id) }
  }

  /** Makes the official SDK, and `fetch`, call this model. Returns what restores them. */
  install(): () => void {
    const sdk = loadSdk()
    const uploader = sdk.uploader as unknown as Fields
    const api = sdk.api as unknown as Fields
    const search = (sdk.search as unknown as { prototype: Fields }).prototype
    const agent = Agent.prototype as unknown as { addRequest: (...given: unknown[]) => void }
    const before = [
      { ...uploader },
      { ...api },
      { execute: search.execute },
      { addRequest: agent.addRequest },
      { fetch: globalThis.fetch }
    ]
    const now = () => isoOf(this.#options.scheduler.now)
    uploader.add_tag = (tag: string, ids: string[], options: SdkOptions) =>
      this.#call('add_tag', options, (cloud) =>
        this.#own(cloud, ids, options, 'resource_tags_changed', (asset) => {
          if (asset.tags.includes(tag)) return false
          asset.tags = [...asset.tags, tag]
          asset.tagChange = { added: [tag], removed: [] }
          asset.last_updated.tags_updated_at = now()
          return true
        })
      )
    uploader.update_metadata = (fields: Fields, ids: string[], options: SdkOptions) =>
      this.#call('update_metadata', options, (cloud) =>
        this.#own(cloud, ids, options, 'resource_metadata_changed', (asset) => {
          asset.previousMetadata = asset.metadata
          asset.metadata = { ...asset.metadata, ...fields }
          asset.last_updated.metadata_updated_at = now()
          return true
        })
      )
    uploader.explicit = (id: string, options: SdkOptions) =>
      this.#call('explicit', options, (cloud) => found(findByName(cloud, id, options)))
    api.resource_by_asset_id = (id: string, options: SdkOptions) =>
      this.#call('resource_by_asset_id', options, (cloud) => found(cloud.assets.get(id)))
    const { seed, scheduler } = this.#options
    const model = this
    search.execute = function (this: { query_hash: Fields }, options: SdkOptions) {
      const query = this.query_hash
      return model.#call('search', options, ({ assets, plan }) =>
        searchAssets([...assets.values()], query, scheduler.now - plan.indexLagMs)
      )
    }
    const { addRequest } = agent
    agent.addRequest = function (request, ...rest) {
      if (!(request as { isSimulated?: boolean }).isSimulated) addRequest.call(this, request, ...rest)
    }
    const realFetch = globalThis.fetch
    globalThis.fetch = ((url: URL, init: RequestInit) =>
      scheduler.current ? this.#fetch(new URL(url), init, seed) : realFetch(url, init)) as typeof fetch
    return () => {
      Object.assign(uploader, before[0])
      Object.assign(api, before[1])
      Object.assign(search, before[2])
      Object.assign(agent, before[3])
      Object.assign(globalThis, before[4])
    }
  }

  /** The API of poll channels. Source: pycloudinary 1.46.0, `api.notifications` */
  #fetch(url: URL, { signal, body, headers }: RequestInit, _seed: number): Promise<unknown> {
    const [, , , cloudName = '', , isAck] = url.pathname.split('/')
    const cloud = this.clouds.get(cloudName)!
    const apiKey = Buffer.from(String(new Headers(headers).get('authorization')).slice(6), 'base64')
      .toString()
      .split(':')[0]
    const isKnown = () => cloud.keys.some((key) => key.apiKey === apiKey)
    const answerOf = (status: number, value: object) => ({
      ok: status === 200,
      status,
      statusText: String(status),
      text: async () => JSON.stringify(value),
      json: async () => value
    })
    return this.#options.network.call<unknown>({
      service: `cloudinary ${cloudName}`,
      operation: isAck ? 'ack' : 'poll',
      signal: signal ?? undefined,
      fail: (why) =>
        Object.assign(new TypeError('fetch failed'), { cause: sdkError(why).error ?? sdkError(why) }),
      perform: (answer) => {
        if (!isKnown()) return answer({ value: answerOf(401, { error: { message: 'unknown api_key' } }) })
        if (isAck) {
          cloud.channel.acknowledge(JSON.parse(String(body)).receipt_handles)
          return answer({ value: answerOf(200, {}) })
        }
        const number = (name: string) => Number(url.searchParams.get(name))
        const options = {
          maximum: number('max_messages'),
          waitMs: number('wait_seconds') * 1000,
          visibilityMs: number('visibility_timeout') * 1000
        }
        cloud.channel.fetch(options, (messages) => answer({ value: answerOf(200, { messages }) }))
      }
    })
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

export const assetIdOf = (cloudName: string, number: number): string =>
  createHash('md5').update(`${cloudName} asset ${number}`).digest('hex')

const keyOf = (cloudName: string, number: number): Key => ({
  apiKey: `${cloudName}-key-${number}`,
  apiSecret: `${cloudName}-SECRET-${number}-${'s3cr3t'.repeat(3)}`
})

const findByName = (
  { assets }: Cloud,
  publicId: string,
  { resource_type, type }: SdkOptions
): Asset | undefined => {
  for (const asset of assets.values()) {
    if (asset.public_id === publicId && asset.resource_type === resource_type && asset.type === type)
      return asset
  }
  return undefined
}

function found(asset: Asset | undefined): Asset {
  if (!asset) throw { http_code: 404, message: 'Resource not found' }
  return { ...asset, tags: [...asset.tags], metadata: { ...asset.metadata } }
}

/** The shapes of the SDK's rejections differ. Source: the Node SDK 2.11.0 */
function sdkError(why: 'refused' | 'throttled' | 'lost'): {
  error?: object
  message?: string
  http_code?: number
} {
  switch (why) {
    case 'refused':
      return { message: 'Service unavailable', http_code: 503 }
    case 'throttled':
      return { message: 'Rate Limit Exceeded', http_code: 420 }
    case 'lost':
      return { error: { message: 'socket hang up', code: 'ECONNRESET' } }
  }
}

const isoOf = (time: number): string => new Date(Math.max(time, START)).toISOString()
