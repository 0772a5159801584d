import type { AssetState } from '../cloudinary/client.ts'
import type { AssetEvent } from '../ingest/event.ts'
import { asFields } from '../processors/fields.ts'

/** A call of a processor to Cloudinary. */
export interface CloudinaryCall {
  /** `add tag` for `cloudinary.addTag`; for `cloudinary.call`, its first argument. */
  name: string
  /** Function of the SDK, such as `uploader.add_tag`; undefined if `cloudinary.call` used none. */
  method?: string
  /** Arguments of that function, without credentials. */
  args: unknown[]
}

export interface FakeCloudinaryOptions {
  /** Fields of every asset, in addition to those of its event: `{ metadata: { cms_id: '7' } }`. */
  asset?: Partial<AssetState>
}

export interface FailureOptions {
  /** How many calls fail. (Default: 1) */
  times?: number
  /** The calls that fail, by name. (Default: any) */
  name?: string
}

/** Answers a function of the SDK, such as `uploader.add_tag`, with these arguments (without credentials). */
export type Responder = (method: string, args: unknown[]) => Promise<unknown>

/** Rejections of the SDK, which the real client maps to a `CloudinaryError`. */
const UNREACHABLE = { message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' }
const NOT_FOUND = { http_code: 404, message: 'Resource not found' }

/**
 * Cloudinary in memory, behind the real client. Records each call, and answers with the assets of the events
 * that were sent. Stores tags and metadata that `addTag` and `updateMetadata` write. Confirms any other
 * change without storing it.
 */
export class FakeCloudinary {
  /** All calls so far, including failed ones. */
  readonly calls: CloudinaryCall[] = []
  readonly #fields: Partial<AssetState>
  #assets: AssetState[] = []
  readonly #answers = new Map<string, unknown>()
  readonly #failures: { status: number | 'unreachable'; name: string | undefined; left: number }[] = []

  constructor({ asset = {} }: FakeCloudinaryOptions = {}) {
    this.#fields = asset
  }

  /**
   * Sets the answer to every later call with this name.
   *
   * @param answer a value, or a function that receives the arguments of the SDK's function
   */
  answer(name: string, answer: unknown): this {
    this.#answers.set(name, answer)
    return this
  }

  /**
   * Makes the next calls fail with an HTTP status, such as 404, 420 (rate limit) or 503, or without an
   * answer.
   */
  fail(status: number | 'unreachable', { times = 1, name }: FailureOptions = {}): this {
    this.#failures.push({ status, name, left: times })
    return this
  }

  /** Stores the asset of an event, with its name and metadata; removes it after `delete`. */
  learn({ asset, type, payload }: AssetEvent): void {
    const { assetId, publicId, resourceType = 'image', deliveryType = 'upload' } = asset ?? {}
    if (publicId === undefined) return
    const known = this.#find(assetId ?? publicId, [{ resource_type: resourceType, type: deliveryType }])
    if (type === 'delete' || type === 'delete_by_token') {
      this.#assets = this.#assets.filter((other) => other !== known)
    } else if (known) {
      known.public_id = publicId
      known.metadata = { ...known.metadata, ...asFields(payload.new_metadata) }
    } else {
      const { notification_type: _, notification_context: __, signature_key: ___, ...uploaded } = payload
      this.#assets.push({
        ...(type === 'upload' && uploaded),
        tags: listOf(payload.tags),
        metadata: { ...asFields(payload.new_metadata ?? payload.metadata) },
        ...this.#fields,
        asset_id: assetId ?? '',
        public_id: publicId,
        resource_type: resourceType,
        type: deliveryType
      })
    }
  }

  /** Records a call. Returns the responder for the SDK functions that it uses. */
  begin(name: string): Responder {
    const call: CloudinaryCall = { name, args: [] }
    this.calls.push(call)
    const failure = this.#failures.find((planned) => planned.left > 0 && (planned.name ?? name) === name)
    if (failure) failure.left--
    return async (method, args) => {
      if (call.method === undefined) Object.assign(call, { method, args })
      else this.calls.push({ name, method, args })
      if (failure?.status === 'unreachable') throw UNREACHABLE
      if (failure) throw { http_code: failure.status, message: 'failure set by the test' }
      const answer = this.#answers.get(name)
      if (typeof answer === 'function') return answer(...args)
      return this.#answers.has(name) ? answer : this.#applyCall(method, args)
    }
  }

  #applyCall(method: string, args: unknown[]): unknown {
    switch (method) {
      case 'uploader.explicit':
      case 'api.resource':
      case 'api.resource_by_asset_id': {
        const found = this.#find(args[0], args.slice(1))
        if (!found) throw NOT_FOUND
        return structuredClone(found)
      }
      case 'uploader.add_tag':
        return this.#change(args, (asset) => {
          asset.tags = [...new Set([...listOf(asset.tags), ...String(args[0]).split(',')])]
        })
      case 'uploader.update_metadata':
        return this.#change(args, (asset) => {
          asset.metadata = { ...asset.metadata, ...asFields(args[0]) }
        })
      default:
        return this.#change(args, () => {})
    }
  }

  #change(args: unknown[], change: (asset: AssetState) => void): object {
    const publicIds = listOf(args.find(Array.isArray))
    for (const publicId of publicIds) {
      const asset = this.#find(publicId, args)
      if (asset) change(asset)
    }
    return publicIds.length > 0 ? { public_ids: publicIds } : { result: 'ok' }
  }

  /** @param args the last one may be options with the asset's kind */
  #find(id: unknown, args: unknown[]): AssetState | undefined {
    const { resource_type: resourceType, type } = asFields(args.at(-1)) ?? {}
    return this.#assets.findLast(
      (asset) =>
        id === asset.asset_id ||
        (id === asset.public_id &&
          (resourceType ?? asset.resource_type) === asset.resource_type &&
          (type ?? asset.type) === asset.type)
    )
  }
}

const listOf = (value: unknown): string[] => (Array.isArray(value) ? [...value] : [])
