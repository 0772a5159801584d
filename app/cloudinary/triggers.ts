import { z } from 'zod'
import type { CloudinaryClient } from './client.ts'
import { listOf } from './response.ts'
import { callRest } from './rest.ts'

/** A trigger in Cloudinary: sends the notifications of one type to one URL. */
export interface Trigger {
  id: string
  /** `https://…`, or `poll://CHANNEL`. */
  uri: string
  /** A notification type, or `all`. */
  event_type: string
  /** `webhook`, `poll` or `flow`. May be missing in older responses. */
  uri_type?: string
  /** Signature scheme of its notifications. */
  auth_scheme?: string
  /** True if it also sends notifications of calls that name their own notification URL. (Default: false) */
  additive?: boolean
  /** A JSONLogic condition on the body. Only matching notifications are sent. */
  filter?: object | null
  filter_language?: string | null
  /** Mustache template of the body, which replaces Cloudinary's own body. */
  payload_template?: object | string | null
}

const Triggers = z.object({
  triggers: listOf<Trigger>(z.object({ id: z.string(), uri: z.string(), event_type: z.string() }))
})

export type NewTrigger = Pick<Trigger, 'uri' | 'event_type' | 'additive'> & { uri_type: 'webhook' | 'poll' }

/**
 * Fields that an update must repeat, since Cloudinary does not document whether omitted fields keep their
 * values.
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
 * Lists all triggers of an environment. Each function in this file makes one call to the Admin API.
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

/** Changes the given fields and keeps the others. @throws {CloudinaryError} */
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

/** Makes Cloudinary send a test notification. Its response is not documented. @throws {CloudinaryError} */
export async function testTrigger(client: CloudinaryClient, id: string): Promise<void> {
  await callRest(client, 'test trigger', { method: 'POST', path: `${pathOf(client, id)}/test`, body: {} })
}

/** @throws {CloudinaryError} */
export async function deleteTrigger(client: CloudinaryClient, id: string): Promise<void> {
  await callRest(client, 'delete trigger', { method: 'DELETE', path: pathOf(client, id) })
}
