import { randomBytes } from 'node:crypto'
import { NOTIFICATION_TYPES } from '../../app/cloudinary/event.ts'
import { ApiError } from './errors.ts'
import { isoSeconds } from './times.ts'

/** Known from notifications that were seen, but not among the types that a trigger can be on. */
const WITHOUT_TRIGGER = new Set<string>(['proof_status_changed', 'related_assets'])

const EVENT_TYPES = ['all', ...NOTIFICATION_TYPES.filter((type) => !WITHOUT_TRIGGER.has(type))]

const URI = { webhook: /^https?:\/\/./, poll: /^poll:\/\/[^*]+$/ }

/**
 * A trigger as the Admin API writes it: `id`, `uri`, `uri_type` and `event_type` are those of pycloudinary's tests, the
 * other fields are assumed.
 */
export interface Trigger {
  id: string
  product_environment_id: string
  uri: string
  uri_type: 'webhook' | 'poll'
  event_type: string
  created_at: string
  updated_at: string
}

/** What the caller of the API gives for a new trigger. */
export interface TriggerParams {
  uri?: unknown
  event_type?: unknown
  uri_type?: unknown
}

/**
 * The triggers of one cloud, each of which sends the notifications of one type to one place.
 * Source: https://cloudinary.com/documentation/admin_api_triggers and pycloudinary 1.46.0. The words of its refusals,
 * and that a second trigger for the same type and place is one, are assumed. `poll://*` is not offered.
 */
export class Triggers {
  readonly #environmentId = randomBytes(16).toString('hex')
  readonly #triggers = new Map<string, Trigger>()

  list(eventType?: string): Trigger[] {
    const all = [...this.#triggers.values()]
    return eventType === undefined ? all : all.filter(({ event_type }) => event_type === eventType)
  }

  /** Where notifications of a type go; null stands for a body that says none, which only `all` takes. */
  for(type: string | null): Trigger[] {
    return this.list().filter(({ event_type }) => event_type === 'all' || event_type === type)
  }

  /** @throws {ApiError} 404 */
  get(id: string): Trigger {
    const trigger = this.#triggers.get(id)
    if (!trigger) throw new ApiError(404, `Trigger ${id} not found`)
    return trigger
  }

  /** @throws {ApiError} 400 for what is no trigger, 409 if there is such a one */
  create({ uri, event_type: type, uri_type }: TriggerParams, now: number): Trigger {
    const uriType = uri_type ?? 'webhook'
    if (uriType !== 'webhook' && uriType !== 'poll') throw invalid('uri_type', uriType)
    if (typeof type !== 'string' || !EVENT_TYPES.includes(type)) throw invalid('event_type', type)
    const trigger: Trigger = {
      id: randomBytes(16).toString('hex'),
      product_environment_id: this.#environmentId,
      uri: this.#free(uri, uriType, type),
      uri_type: uriType,
      event_type: type,
      created_at: isoSeconds(now),
      updated_at: isoSeconds(now)
    }
    this.#triggers.set(trigger.id, trigger)
    return trigger
  }

  /** Sends what it is on to another place of the same kind. @throws {ApiError} 400, 404 or 409 */
  update(id: string, newUri: unknown, now: number): void {
    const trigger = this.get(id)
    const uri = this.#free(newUri, trigger.uri_type, trigger.event_type)
    this.#triggers.set(id, { ...trigger, uri, updated_at: isoSeconds(now) })
  }

  /** @throws {ApiError} 404 */
  delete(id: string): void {
    this.get(id)
    this.#triggers.delete(id)
  }

  #free(uri: unknown, uriType: Trigger['uri_type'], type: string): string {
    if (typeof uri !== 'string' || !URI[uriType].test(uri)) throw invalid('uri', uri)
    if (this.list(type).some((other) => other.uri === uri))
      throw new ApiError(409, `Trigger for ${type} to ${uri} already exists`)
    return uri
  }
}

const invalid = (name: string, value: unknown) =>
  new ApiError(400, `Invalid value ${value} for parameter ${name}`)
