import type { Agent, ClientRequest } from 'node:http'
import { apiBaseUrl, type CloudinaryEnvironment } from '../credentials/cloudinary-url.ts'
import { ListenerError } from '../errors.ts'
import type { Asset } from '../ingest/event.ts'
import type { Tracing } from '../tracing/tracing.ts'
import { assetUrl, type DeliveryOptions } from './asset-url.ts'
import type { Breaker } from './breaker.ts'
import { CloudinaryError, isNotFound, toCloudinaryError } from './cloudinary-error.ts'
import {
  type IdentifiedAsset,
  isIdentified,
  type KindOptions,
  kindOf,
  kindUnknownError
} from './identified-asset.ts'
import type { CloudinarySdk } from './sdk.ts'

/**
 * Options that every call to the SDK must have. The SDK reads missing ones from its global configuration,
 * which another environment or a processor may have set.
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

/** Makes a call with the SDK. */
type Invoke<Result> = (sdk: CloudinarySdk, options: CallOptions, signal: AbortSignal) => Promise<Result>

/** The fields of an asset that the listener reads. The API returns many more. */
export interface AssetState {
  asset_id: string
  public_id: string
  resource_type: string
  type: string
  tags?: string[]
  metadata?: Record<string, unknown>
  [field: string]: unknown
}

/** A call that the SDK's types lack. */
interface ByAssetId {
  resource_by_asset_id: (assetId: string, options: CallOptions) => Promise<AssetState & { version: number }>
}

export interface CloudinaryClientOptions {
  environment: CloudinaryEnvironment
  sdk: CloudinarySdk
  /** Keeps connections open between calls. Must match the scheme of the environment's API URL. */
  agent: Agent
  /** Aborts every call of this client. */
  signal: AbortSignal
  /** Default timeout of a call, in milliseconds. */
  timeoutMs: number
  /** Shared by the clients of the environment. While it is open, calls fail. */
  breaker: Breaker
  /** Cache of look-ups, by the asset of the event. */
  identities: WeakMap<Asset, IdentifiedAsset>
  tracing?: Tracing | undefined
  clock: () => number
}

/**
 * Wraps the official SDK with one environment's credentials, working timeouts, and errors that hold no
 * secret. All methods throw {@link CloudinaryError}.
 */
export class CloudinaryClient {
  readonly #options: CloudinaryClientOptions

  constructor(options: CloudinaryClientOptions) {
    this.#options = options
  }

  get cloudName(): string {
    return this.#options.environment.cloudName
  }

  /** Returns the URL of an image derived from the asset, signed if necessary. See {@link assetUrl}. */
  deliveryUrl(asset: Asset, options: DeliveryOptions): string | undefined {
    const { sdk, environment } = this.#options
    return assetUrl(sdk, environment, asset, options)
  }

  /**
   * Makes any call of the SDK. Pass `options` to it, merged with the call's own options:
   * `cloudinary.call('add context', (sdk, options) => sdk.uploader.add_context('a=b', ['id'], options))`.
   *
   * @param name name of the call, for errors
   * @param invoke calls the SDK. A call without the SDK must use `signal`, which aborts at the timeout or
   *   when the worker stops. A `ListenerError` is rethrown and does not count as a failure of Cloudinary
   * @param timeoutMs timeout, in milliseconds
   */
  async call<Result>(
    name: string,
    invoke: Invoke<Result>,
    timeoutMs: number = this.#options.timeoutMs
  ): Promise<Result> {
    const { environment, breaker, tracing } = this.#options
    if (breaker.capacity === 0) {
      const message = `${name}: skipped: circuit breaker is open`
      throw new CloudinaryError('CLOUDINARY_DOWN', message, { kind: 'retryable' })
    }
    if (!tracing) return this.#call(name, invoke, timeoutMs)
    const call = { name, cloudName: environment.cloudName, apiUrl: apiBaseUrl(environment) }
    return tracing.cloudinary(call, () => this.#call(name, invoke, timeoutMs))
  }

  async #call<Result>(name: string, invoke: Invoke<Result>, timeoutMs: number): Promise<Result> {
    const { environment, sdk, agent, signal, breaker, clock } = this.#options
    const call = breaker.start()
    // not `AbortSignal.timeout`, which would keep the call's objects in memory until the timeout
    const timeUp = new AbortController()
    const stop = () => timeUp.abort()
    const timer = setTimeout(stop, timeoutMs)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop)
    let result: Result
    try {
      const options = {
        cloud_name: environment.cloudName,
        api_key: environment.apiKey,
        api_secret: environment.apiSecret,
        upload_prefix: apiBaseUrl(environment),
        signature_algorithm: environment.signatureAlgorithm ?? 'sha1',
        agent: abortable(agent, timeUp.signal),
        timeout: timeoutMs
      }
      result = await invoke(sdk, options, timeUp.signal)
    } catch (rejection) {
      if (rejection instanceof ListenerError) throw rejection
      if (signal.aborted) {
        throw new CloudinaryError('CLOUDINARY_ABORTED', `${name}: aborted`, { kind: 'retryable' })
      }
      const error = timeUp.signal.aborted
        ? new CloudinaryError('CLOUDINARY_UNREACHABLE', `${name}: no response within ${timeoutMs} ms`, {
            kind: 'retryable'
          })
        : toCloudinaryError(rejection, { call: name, secrets: [environment.apiSecret], clock })
      breaker.observe(error, call)
      throw error
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
    }
    breaker.succeeded(call)
    return result
  }

  /**
   * Adds a tag and keeps the others: `POST /{resource_type}/tags`, Upload API, not rate-limited. (`explicit`
   * with `tags` would replace all tags, and lose tags that are added concurrently.)
   */
  async addTag(asset: Asset, tag: string): Promise<void> {
    await this.change('add tag', asset, (sdk, publicId, options) =>
      sdk.uploader.add_tag(tag, [publicId], options)
    )
  }

  /** Sets structured metadata: `POST /{resource_type}/metadata`, Upload API, not rate-limited. */
  async updateMetadata(asset: Asset, values: Record<string, string>): Promise<void> {
    await this.change('update metadata', asset, (sdk, publicId, options) =>
      sdk.uploader.update_metadata(values, [publicId], options)
    )
  }

  /**
   * Reads the current state of the asset with an `explicit` that changes nothing: unlike `GET /resources/…`
   * of the Admin API, the Upload API is not rate-limited.
   */
  async currentState(asset: Asset): Promise<AssetState> {
    const identified = await this.identify(asset)
    return this.call('read asset', (sdk, options) =>
      sdk.uploader.explicit(identified.publicId, { ...options, ...kindOf(identified) })
    )
  }

  /**
   * Completes the fields that the API needs to identify an asset. Many notifications lack resource type and
   * type: these are looked up by asset id, with one call to the Admin API (rate-limited) per event.
   *
   * @throws {CloudinaryError} ASSET_KIND_UNKNOWN if there is no asset id for a look-up; CLOUDINARY_NOT_FOUND
   *   if the asset is deleted
   */
  async identify(asset: Asset): Promise<IdentifiedAsset> {
    if (isIdentified(asset)) return asset
    const known = this.#options.identities.get(asset)
    if (known) return known
    if (!asset.assetId) throw kindUnknownError(asset)
    const located = await this.locate(asset.assetId)
    if (!located) throw notFoundError('identify asset', 404)
    this.#options.identities.set(asset, located)
    return located
  }

  /**
   * Looks up the current name and kind of an asset that may have been renamed. Returns undefined if it is
   * deleted. Costs one call to the Admin API, whose hourly limit is 500 or 2,000.
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
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  /**
   * Changes one asset with a call that takes a list of assets. The response lists the assets that were found;
   * if it is empty, throws CLOUDINARY_NOT_FOUND.
   */
  async change(
    name: string,
    asset: Asset,
    invoke: (sdk: CloudinarySdk, publicId: string, options: CallOptions & KindOptions) => Promise<unknown>
  ): Promise<void> {
    const identified = await this.identify(asset)
    const answer = await this.call(name, (sdk, options) =>
      invoke(sdk, identified.publicId, { ...options, ...kindOf(identified) })
    )
    const { public_ids: changed } = answer as { public_ids?: string[] }
    if (changed?.length === 0) throw notFoundError(name)
  }
}

/**
 * Returns an agent for one call, which uses the shared agent and destroys its request on `signal`. The SDK's
 * own timeouts do not work: an Admin API call waits forever on a silent server.
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

const notFoundError = (call: string, status?: number) =>
  new CloudinaryError(
    'CLOUDINARY_NOT_FOUND',
    `${call}: Cloudinary has no such asset`,
    { kind: 'permanent' },
    status
  )
