import { z } from 'zod'
import { listOf } from './answer.ts'
import type { CloudinaryClient } from './client.ts'
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
}

const Triggers = z.object({
  triggers: listOf<Trigger>(z.object({ id: z.string(), uri: z.string(), event_type: z.string() }))
})

export type NewTrigger = Pick<Trigger, 'uri' | 'event_type'> & { uri_type: 'webhook' | 'poll' }

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

/** @throws {CloudinaryError} */
export async function deleteTrigger(client: CloudinaryClient, id: string): Promise<void> {
  await callRest(client, 'delete trigger', { method: 'DELETE', path: pathOf(client, id) })
}
