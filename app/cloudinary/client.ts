import type { Agent, ClientRequest } from 'node:http'
import { type CloudinaryEnvironment, hostOf } from '../credentials/cloudinary-url.ts'
import { ListenerError } from '../errors.ts'
import type { Asset } from '../ingest/event.ts'
import type { Breaker } from './breaker.ts'
import { CloudinaryError, toCloudinaryError } from './cloudinary-error.ts'
import { type IdentifiedAsset, isIdentified, type Kind, kindOf, unidentified } from './identified-asset.ts'
import type { CloudinarySdk } from './sdk.ts'

/**
 * What each call to the SDK must be given as (part of) its options. For an option that is missing the SDK takes its
 * global configuration, which another environment's URL or a processor's code may have filled: so all are always there.
 */
export interface CallOptions {
  cloud_name: string
  api_key: string
  api_secret: string
  upload_prefix: string
  signature_algorithm: string
  agent: Agent
  timeout: number
}

/** The fields of an asset that this listener reads; the API gives many more. */
export interface AssetState {
  asset_id: string
  public_id: string
  resource_type: string
  type: string
  tags?: string[]
  metadata?: Record<string, unknown>
  [field: string]: unknown
}

/** A call that the SDK has, and its types have not. */
interface ByAssetId {
  resource_by_asset_id: (assetId: string, options: CallOptions) => Promise<AssetState & { version: number }>
}

export interface CloudinaryClientOptions {
  environment: CloudinaryEnvironment
  sdk: CloudinarySdk
  /** Keeps connections open between calls; of the scheme of the environment's host, whatever the SDK defaults to. */
  agent: Agent
  /** Aborts every call of this client. */
  signal: AbortSignal
  /** How long a call may take, in milliseconds, unless it says otherwise. */
  timeoutMs: number
  /** The environment's own: while it is open no call is made. */
  breaker: Breaker
  /** Assets that were looked up, by the asset of the event, so that an event needs one look-up. */
  identities: WeakMap<Asset, IdentifiedAsset>
  clock: () => number
}

/**
 * The official SDK with one environment's credentials, time-outs that work, and errors that say what to do
 * and hold no secret. All methods throw {@link CloudinaryError}.
 */
export class CloudinaryClient {
  readonly #options: CloudinaryClientOptions

  constructor(options: CloudinaryClientOptions) {
    this.#options = options
  }

  get cloudName(): string {
    return this.#options.environment.cloudName
  }

  /**
   * Any call of the SDK; pass `options` on to it, with what else it needs:
   * `cloudinary.call('add context', (sdk, options) => sdk.uploader.add_context('a=b', ['id'], options))`.
   *
   * @param name what is called, for errors
   * @param invoke a `ListenerError` that it throws is thrown on as it is: no fault of Cloudinary's. Where it calls
   *   without the SDK, it hands on `signal`, which aborts when the time is up or the worker stops
   * @param timeoutMs how long it may take, in milliseconds
   */
  async call<Result>(
    name: string,
    invoke: (sdk: CloudinarySdk, options: CallOptions, signal: AbortSignal) => Promise<Result>,
    timeoutMs: number = this.#options.timeoutMs
  ): Promise<Result> {
    const { environment, sdk, agent, signal, breaker, clock } = this.#options
    if (breaker.capacity === 0) {
      throw new CloudinaryError(
        'CLOUDINARY_DOWN',
        `${name}: not called, since Cloudinary fails or limits calls`,
        {
          kind: 'retryable'
        }
      )
    }
    // `AbortSignal.timeout` would be kept, with what belongs to the call, until its time is up: 30 s after each call
    const ending = new AbortController()
    const stop = () => ending.abort()
    const timer = setTimeout(stop, timeoutMs)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop)
    let result: Result
    try {
      const options = {
        cloud_name: environment.cloudName,
        api_key: environment.apiKey,
        api_secret: environment.apiSecret,
        upload_prefix: hostOf(environment),
        signature_algorithm: environment.signatureAlgorithm ?? 'sha1',
        agent: abortable(agent, ending.signal),
        timeout: timeoutMs
      }
      result = await invoke(sdk, options, ending.signal)
    } catch (rejection) {
      if (rejection instanceof ListenerError) throw rejection
      if (signal.aborted) {
        throw new CloudinaryError('CLOUDINARY_ABORTED', `${name}: aborted`, { kind: 'retryable' })
      }
      const error = ending.signal.aborted
        ? new CloudinaryError('CLOUDINARY_UNREACHABLE', `${name}: no answer within ${timeoutMs} ms`, {
            kind: 'retryable'
          })
        : toCloudinaryError(rejection, { call: name, secrets: [environment.apiSecret], clock })
      breaker.observe(error)
      throw error
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
    }
    breaker.succeeded()
    return result
  }

  /**
   * Adds a tag and keeps those that are there: `POST /{resource_type}/tags`, Upload API, not rate-limited.
   * (`explicit` with `tags` would replace the set, and lose tags that somebody adds at the same time.)
   */
  async addTag(asset: Asset, tag: string): Promise<void> {
    await this.change('add tag', asset, (sdk, publicId, options) =>
      sdk.uploader.add_tag(tag, [publicId], options)
    )
  }

  /** Sets values of structured metadata fields: `POST /{resource_type}/metadata`, Upload API, not rate-limited. */
  async updateMetadata(asset: Asset, values: Record<string, string>): Promise<void> {
    await this.change('update metadata', asset, (sdk, publicId, options) =>
      sdk.uploader.update_metadata(values, [publicId], options)
    )
  }

  /**
   * The asset as it is now. It is read by an `explicit` that changes nothing, since the Upload API is not
   * rate-limited; `GET /resources/…` of the Admin API would count against the hourly limit of 500 or 2,000.
   */
  async currentState(asset: Asset): Promise<AssetState> {
    const identified = await this.identify(asset)
    return this.call('read asset', (sdk, options) =>
      sdk.uploader.explicit(identified.publicId, { ...options, ...kindOf(identified) })
    )
  }

  /**
   * The asset as the API needs it named. What the notification does not state (many leave out resource type and type) is
   * looked up by asset id: one call of the Admin API (rate-limited), whatever the number of calls for the event.
   *
   * @throws {CloudinaryError} ASSET_KIND_UNKNOWN where there is no asset id to look it up by; CLOUDINARY_NOT_FOUND where
   *   the asset is deleted
   */
  async identify(asset: Asset): Promise<IdentifiedAsset> {
    if (isIdentified(asset)) return asset
    const known = this.#options.identities.get(asset)
    if (known) return known
    if (!asset.assetId) throw unidentified(asset)
    const located = await this.locate(asset.assetId)
    if (!located) throw notFound('identify asset', 404)
    this.#options.identities.set(asset, located)
    return located
  }

  /**
   * An asset by the name that it has now; undefined where it is deleted. One call of the Admin API, whose hourly limit is
   * 500 or 2,000: for an asset that is not there by the name it had.
   */
  async locate(assetId: string): Promise<IdentifiedAsset | undefined> {
    try {
      const found = await this.call('locate asset', (sdk, options) => {
        const { resource_by_asset_id } = sdk.api as unknown as ByAssetId
        return resource_by_asset_id(assetId, options)
      })
      const { public_id: publicId, resource_type: resourceType, type: deliveryType, version } = found
      return { assetId, publicId, resourceType, deliveryType, version }
    } catch (error) {
      if (error instanceof CloudinaryError && error.code === 'CLOUDINARY_NOT_FOUND') return undefined
      throw error
    }
  }

  /**
   * A change of one asset by a call that takes a list of them. It succeeds for those that are there, and says which: an
   * asset that is gone is not among them, and that is CLOUDINARY_NOT_FOUND.
   */
  async change(
    name: string,
    asset: Asset,
    invoke: (sdk: CloudinarySdk, publicId: string, options: CallOptions & Kind) => Promise<unknown>
  ): Promise<void> {
    const identified = await this.identify(asset)
    const answer = await this.call(name, (sdk, options) =>
      invoke(sdk, identified.publicId, { ...options, ...kindOf(identified) })
    )
    const { public_ids: changed } = answer as { public_ids?: string[] }
    if (changed?.length === 0) throw notFound(name)
  }
}

/**
 * The SDK's own time-outs do not work: a call of its Admin API waits for ever on a silent server. So each call
 * gets an agent of its own, which hands its request to the shared one and destroys it on `signal`.
 */
function abortable(shared: Agent, signal: AbortSignal): Agent {
  const addRequest = (request: ClientRequest, ...rest: unknown[]): void => {
    const abort = () => request.destroy(new Error('aborted'))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    request.once('close', () => signal.removeEventListener('abort', abort))
    ;(shared as Agent & { addRequest: (...given: unknown[]) => void }).addRequest(request, ...rest)
  }
  return Object.create(shared, { addRequest: { value: addRequest } }) as Agent
}

const notFound = (call: string, status?: number) =>
  new CloudinaryError(
    'CLOUDINARY_NOT_FOUND',
    `${call}: Cloudinary has no such asset`,
    { kind: 'permanent' },
    status
  )
