import { randomBytes } from 'node:crypto'
import { NOTIFICATION_TYPES } from '../../app/ingest/event.ts'
import { ApiError } from './api-error.ts'
import { isoSeconds } from './times.ts'
import { type Filter, isFilter, matches } from './trigger-filter.ts'

/** Types that were seen in notifications, but that a trigger does not accept. */
const WITHOUT_TRIGGER = new Set<string>(['proof_status_changed', 'related_assets'])

const EVENT_TYPES = ['all', ...NOTIFICATION_TYPES.filter((type) => !WITHOUT_TRIGGER.has(type))]

const URI = { webhook: /^https?:\/\/./, poll: /^poll:\/\/[^*]+$/ }

const AUTH_SCHEMES = ['default', 'legacy_hmac', 'eddsa_v2']

/** Maximum number of notification URLs of a product environment. */
const MAX_URLS = 30

/**
 * A trigger in the Admin API, with the names of cloudinary-go v2 (`admin.Trigger`). `auth_scheme` and
 * `payload_template` are stored, but do not affect notifications.
 */
export interface Trigger {
  id: string
  product_environment_id: string
  uri: string
  uri_type: 'webhook' | 'poll'
  event_type: string
  additive: boolean
  filter?: Filter
  filter_language?: 'jsonlogic'
  payload_template?: object
  auth_scheme: string
  created_at: string
  updated_at: string
}

/** Parameters of a call; `new_uri` is the older name of `uri` in an update. */
export type TriggerParams = Partial<Record<keyof Trigger | 'new_uri', unknown>>

/**
 * The triggers of one cloud. Each sends the notifications of one type, or all, to one URL. `poll://*` is not
 * supported. Assumptions: error messages; a second trigger for the same type and URL is refused; an update
 * keeps omitted fields; an empty filter counts as no filter.
 *
 * Source: https://cloudinary.com/documentation/admin_api_triggers, pycloudinary 1.46.0 and cloudinary-go v2
 */
export class Triggers {
  readonly #environmentId = randomBytes(16).toString('hex')
  readonly #triggers = new Map<string, Trigger>()

  list(eventType?: string): Trigger[] {
    const all = [...this.#triggers.values()]
    return eventType === undefined ? all : all.filter(({ event_type }) => event_type === eventType)
  }

  /**
   * Returns the triggers that send a notification.
   *
   * @param type null for a body without a type, which only triggers on `all` send
   */
  for(type: string | null, body: string): Trigger[] {
    return this.list().filter(
      ({ event_type, filter }) => (event_type === 'all' || event_type === type) && matches(filter, body)
    )
  }

  /** @throws {ApiError} 404 */
  get(id: string): Trigger {
    const trigger = this.#triggers.get(id)
    if (!trigger) throw new ApiError(404, `Trigger ${id} not found`)
    return trigger
  }

  /** @throws {ApiError} 400 for an invalid trigger, 409 for an existing one */
  create(params: TriggerParams, now: number): Trigger {
    const id = randomBytes(16).toString('hex')
    const time = isoSeconds(now)
    return this.#store(params, { id, product_environment_id: this.#environmentId, created_at: time }, time)
  }

  /** Changes the given fields. @throws {ApiError} 400, 404 or 409 */
  update(id: string, { new_uri, ...params }: TriggerParams, now: number): Trigger {
    const { id: _, product_environment_id, created_at, ...before } = this.get(id)
    const changed = { ...before, ...(new_uri !== undefined && { uri: new_uri }), ...params }
    return this.#store(changed, { id, product_environment_id, created_at }, isoSeconds(now))
  }

  /** @throws {ApiError} 404 */
  delete(id: string): void {
    this.get(id)
    this.#triggers.delete(id)
  }

  #store(
    params: TriggerParams,
    fixed: Pick<Trigger, 'id' | 'product_environment_id' | 'created_at'>,
    time: string
  ): Trigger {
    const trigger = { ...fixed, ...parse(params), updated_at: time }
    const others = this.list().filter(({ id }) => id !== trigger.id)
    if (others.some(({ uri, event_type }) => uri === trigger.uri && event_type === trigger.event_type)) {
      throw new ApiError(409, `Trigger for ${trigger.event_type} to ${trigger.uri} already exists`)
    }
    const urls = new Set([...others, trigger].filter(isWebhook).map(({ uri }) => uri))
    if (urls.size > MAX_URLS) throw new ApiError(400, `Maximum of ${MAX_URLS} notification URLs reached`)
    this.#triggers.set(trigger.id, trigger)
    return trigger
  }
}

const isWebhook = ({ uri_type }: Trigger) => uri_type === 'webhook'

/** @throws {ApiError} 400 */
function parse(params: TriggerParams): Omit<Trigger, 'id' | 'product_environment_id' | `${string}_at`> {
  const { uri, event_type: type, payload_template: template } = params
  const uriType = params.uri_type ?? 'webhook'
  if (uriType !== 'webhook' && uriType !== 'poll') throw invalid('uri_type', uriType)
  if (typeof type !== 'string' || !EVENT_TYPES.includes(type)) throw invalid('event_type', type)
  if (typeof uri !== 'string' || !URI[uriType].test(uri)) throw invalid('uri', uri)
  const additive = params.additive ?? false
  if (typeof additive !== 'boolean') throw invalid('additive', additive)
  const language = params.filter_language ?? 'jsonlogic'
  if (language !== 'jsonlogic') throw invalid('filter_language', language)
  const filter = params.filter ?? {}
  if (!isFilter(filter)) throw invalid('filter', JSON.stringify(filter))
  const scheme = params.auth_scheme ?? 'default'
  if (typeof scheme !== 'string' || !AUTH_SCHEMES.includes(scheme)) throw invalid('auth_scheme', scheme)
  return {
    uri,
    uri_type: uriType,
    event_type: type,
    additive,
    ...(Object.keys(filter).length > 0 && { filter, filter_language: language }),
    ...(template ? { payload_template: Object(template) } : {}),
    auth_scheme: scheme
  }
}

const invalid = (name: string, value: unknown) =>
  new ApiError(400, `Invalid value ${value} for parameter ${name}`)
