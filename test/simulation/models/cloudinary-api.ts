import { Agent } from 'node:http'
import { loadSdk } from '../../../app/cloudinary/sdk.ts'
import type { Network } from '../network.ts'
import type { ChangeKind, LimitPlan } from '../plan.ts'
import type { Scheduler } from '../scheduler.ts'
import { type Cloud, isoOf } from './cloudinary-assets.ts'
import type { Asset, Fields } from './notification-bodies.ts'
import { searchAssets } from './search-index.ts'

export interface CloudinaryApiOptions {
  scheduler: Scheduler
  network: Network
  clouds: ReadonlyMap<string, Cloud>
  limits: readonly LimitPlan[]
  /** Called when an asset was changed with a key of the listener. */
  onOwnChange: (cloud: Cloud, kind: ChangeKind, asset: Asset, apiKey: string) => void
}

type SdkOptions = { cloud_name: string; api_key: string; agent: Agent; resource_type?: string; type?: string }

/** The Upload, Admin, Search and poll APIs as far as the listener calls them. */
export class CloudinaryApi {
  readonly #options: CloudinaryApiOptions

  constructor(options: CloudinaryApiOptions) {
    this.#options = options
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
    const { scheduler } = this.#options
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
      scheduler.current ? this.#fetch(new URL(url), init) : realFetch(url, init)) as typeof fetch
    return () => {
      Object.assign(uploader, before[0])
      Object.assign(api, before[1])
      Object.assign(search, before[2])
      Object.assign(agent, before[3])
      Object.assign(globalThis, before[4])
    }
  }

  /** Carries out a call of the SDK by the process that runs. */
  #call(name: string, options: SdkOptions, applyCall: (cloud: Cloud) => unknown): Promise<unknown> {
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
        const cloud = this.#options.clouds.get(cloudName)!
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
          answer({ value: applyCall(cloud) })
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
    kind: ChangeKind,
    apply: (asset: Asset) => boolean
  ): object {
    const found = ids.flatMap((id) => findByName(cloud, id, options) ?? [])
    for (const asset of found) {
      if (!apply(asset)) continue
      this.#options.onOwnChange(cloud, kind, asset, options.api_key)
    }
    return { public_ids: found.map(({ public_id }) => public_id) }
  }

  /** The API of poll channels. Source: pycloudinary 1.46.0, `api.notifications` */
  #fetch(url: URL, { signal, body, headers }: RequestInit): Promise<unknown> {
    const [, , , cloudName = '', , isAck] = url.pathname.split('/')
    const cloud = this.#options.clouds.get(cloudName)!
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
}

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
