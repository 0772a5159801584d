import type { AssetState } from '../cloudinary/client.ts'
import type { AssetEvent } from '../ingest/event.ts'

/** A call of a processor to Cloudinary. */
export interface CloudinaryCall {
  /** What the processor calls it: `add tag` for `cloudinary.addTag`, else the first argument of `cloudinary.call`. */
  name: string
  /** The SDK's function, such as `uploader.add_tag`; undefined where `cloudinary.call` used none. */
  method?: string
  /** Arguments of the SDK's function, without the credentials. */
  args: unknown[]
}

export interface FakeCloudinaryOptions {
  /** Fields of every asset, beside what its event says: `{ metadata: { cms_id: '7' } }`. */
  asset?: Partial<AssetState>
}

export interface FailureOptions {
  /** How many calls fail. (Default: 1) */
  times?: number
  /** The calls that fail, by name. (Default: any) */
  name?: string
}

/** Answers for a function of the SDK: its name, such as `uploader.add_tag`, and its arguments without credentials. */
export type Responder = (method: string, args: unknown[]) => Promise<unknown>

/** What the SDK rejects with; the real client maps it to a `CloudinaryError`. */
const UNREACHABLE = { message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' }
const NOT_FOUND = { http_code: 404, message: 'Resource not found' }

/**
 * Cloudinary in memory, behind the real client: it records each call, and answers with the assets of the events that were
 * sent. It keeps the tags and the metadata that `addTag` and `updateMetadata` write. To any other change it answers that
 * it was made.
 */
export class FakeCloudinary {
  /** Every call so far, the failed ones included. */
  readonly calls: CloudinaryCall[] = []
  readonly #fields: Partial<AssetState>
  #assets: AssetState[] = []
  readonly #answers = new Map<string, unknown>()
  readonly #failures: { status: number | 'unreachable'; name: string | undefined; left: number }[] = []

  constructor({ asset = {} }: FakeCloudinaryOptions = {}) {
    this.#fields = asset
  }

  /**
   * Every call of this name is answered so from now on.
   *
   * @param answer a function is given the arguments of the SDK's function and returns the answer
   */
  answer(name: string, answer: unknown): this {
    this.#answers.set(name, answer)
    return this
  }

  /** The next calls fail as Cloudinary fails: with an HTTP status, such as 404, 420 (rate limit) or 503, or without an answer. */
  fail(status: number | 'unreachable', { times = 1, name }: FailureOptions = {}): this {
    this.#failures.push({ status, name, left: times })
    return this
  }

  /** Cloudinary has the asset of this event, with the name and the metadata that the event says; after `delete` it has not. */
  learn({ asset, type, payload }: AssetEvent): void {
    const { assetId, publicId, resourceType = 'image', deliveryType = 'upload' } = asset ?? {}
    if (publicId === undefined) return
    const known = this.#find(assetId ?? publicId, [{ resource_type: resourceType, type: deliveryType }])
    if (type === 'delete' || type === 'delete_by_token') {
      this.#assets = this.#assets.filter((other) => other !== known)
    } else if (known) {
      known.public_id = publicId
      known.metadata = { ...known.metadata, ...fieldsOf(payload.new_metadata) }
    } else {
      const { notification_type: _, notification_context: __, signature_key: ___, ...uploaded } = payload
      this.#assets.push({
        ...(type === 'upload' && uploaded),
        tags: listOf(payload.tags),
        metadata: fieldsOf(payload.new_metadata ?? payload.metadata),
        ...this.#fields,
        asset_id: assetId ?? '',
        public_id: publicId,
        resource_type: resourceType,
        type: deliveryType
      })
    }
  }

  /** Records a call that begins. Returns what answers for the SDK's functions that it uses. */
  begin(name: string): Responder {
    const call: CloudinaryCall = { name, args: [] }
    this.calls.push(call)
    const failure = this.#failures.find((planned) => planned.left > 0 && (planned.name ?? name) === name)
    if (failure) failure.left--
    return async (method, args) => {
      if (call.method === undefined) Object.assign(call, { method, args })
      else this.calls.push({ name, method, args })
      if (failure?.status === 'unreachable') throw UNREACHABLE
      if (failure) throw { http_code: failure.status, message: 'the test has this call fail' }
      const answer = this.#answers.get(name)
      if (typeof answer === 'function') return answer(...args)
      return this.#answers.has(name) ? answer : this.#carryOut(method, args)
    }
  }

  #carryOut(method: string, args: unknown[]): unknown {
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
          asset.metadata = { ...asset.metadata, ...fieldsOf(args[0]) }
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

  /** @param args the options among the arguments of a call may say of which kind the asset is */
  #find(id: unknown, args: unknown[]): AssetState | undefined {
    const { resource_type: resourceType, type } = fieldsOf(args.at(-1))
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

const fieldsOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? { ...value } : {}
