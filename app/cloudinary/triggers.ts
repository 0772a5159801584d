import { z } from 'zod'
import type { CloudinaryClient } from './client.ts'
import { listOf } from './response.ts'
import { callRest } from './rest.ts'

/** What sends the notifications of one type to one place. */
export interface Trigger {
  id: string
  /** `https://…`, or `poll://CHANNEL`. */
  uri: string
  /** A notification type, or `all`. */
  event_type: string
  /** `webhook`, `poll` or `flow`; older answers may leave it out. */
  uri_type?: string
  /** How its notifications are signed, where Cloudinary says. */
  auth_scheme?: string
  /** Whether it is notified of a call that names a notification URL of its own as well. Default false. */
  additive?: boolean
  /** JSONLogic over the body: only notifications that match are sent. */
  filter?: object | null
  filter_language?: string | null
  /** Mustache: what is sent is not Cloudinary's own body. */
  payload_template?: object | string | null
}

const Triggers = z.object({
  triggers: listOf<Trigger>(z.object({ id: z.string(), uri: z.string(), event_type: z.string() }))
})

export type NewTrigger = Pick<Trigger, 'uri' | 'event_type' | 'additive'> & { uri_type: 'webhook' | 'poll' }

/**
 * What an update repeats: whether what it leaves out keeps its value is not documented.
 * Source of the names: cloudinary-go v2, `UpdateTriggerParams`
 */
const KEPT = [
  'uri',
  'event_type',
  'additive',
  'filter',
  'filter_language',
  'payload_template',
  'auth_scheme'
] as const satisfies (keyof Trigger)[]

const pathOf = ({ cloudName }: CloudinaryClient, id?: string) =>
  `/v1_1/${encodeURIComponent(cloudName)}/triggers${id === undefined ? '' : `/${encodeURIComponent(id)}`}`

/**
 * All triggers of an environment: one call of the Admin API, like each of these.
 * Source: https://cloudinary.com/documentation/admin_api_triggers and pycloudinary 1.46.0
 *
 * @throws {CloudinaryError}
 */
export async function listTriggers(client: CloudinaryClient): Promise<Trigger[]> {
  const { triggers } = await callRest(client, 'list triggers', {
    method: 'GET',
    path: pathOf(client),
    answer: Triggers
  })
  return triggers
}

/** @throws {CloudinaryError} */
export async function createTrigger(client: CloudinaryClient, trigger: NewTrigger): Promise<void> {
  await callRest(client, 'create trigger', { method: 'POST', path: pathOf(client), body: trigger })
}

/** Changes what is given and keeps the rest. @throws {CloudinaryError} */
export async function updateTrigger(
  client: CloudinaryClient,
  trigger: Trigger,
  changes: Pick<Trigger, 'additive'>
): Promise<void> {
  const all = { ...trigger, ...changes }
  const given = KEPT.filter((field) => all[field] !== undefined && all[field] !== null)
  const body = Object.fromEntries(given.map((field) => [field, all[field]]))
  await callRest(client, 'update trigger', { method: 'PUT', path: pathOf(client, trigger.id), body })
}

/** Has Cloudinary send a test notification. What it answers is not documented. @throws {CloudinaryError} */
export async function testTrigger(client: CloudinaryClient, id: string): Promise<void> {
  await callRest(client, 'test trigger', { method: 'POST', path: `${pathOf(client, id)}/test`, body: {} })
}

/** @throws {CloudinaryError} */
export async function deleteTrigger(client: CloudinaryClient, id: string): Promise<void> {
  await callRest(client, 'delete trigger', { method: 'DELETE', path: pathOf(client, id) })
}
