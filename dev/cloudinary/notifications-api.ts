import type { FastifyInstance } from 'fastify'
import { authenticate } from './admin-api.ts'
import { ApiError } from './api-error.ts'
import { named } from './calls.ts'
import { type ApiOptions, intercept } from './intercept.ts'
import { missing, requiredText, textOf, type Values } from './values.ts'

/** Receipt handles of one call. */
const ACKNOWLEDGE_LIMIT = 100

/**
 * What is in poll channels: `/v2/notifications/:cloud/messages`, each call with HTTP basic authentication. Paths,
 * parameters, limits and answers are pycloudinary's, 1.46.0; that these calls do not count against the hour's is assumed.
 */
export async function notificationsApi(app: FastifyInstance, options: ApiOptions): Promise<void> {
  intercept(app, options)
  app.addHook('preHandler', async (request) => {
    request.standIn.caller = authenticate(request, request.standIn.cloud)
  })

  app.get('/messages', named('notifications'), async ({ standIn: { cloud, form } }, reply) => {
    const { values } = form
    if (values.batch_id !== undefined) throw new ApiError(400, 'batch_id: this stand-in knows channels only')
    const gone = new AbortController()
    reply.raw.once('close', () => gone.abort())
    const messages = await cloud.channels.claim(requiredText(values, 'channel'), {
      maxMessages: wholeNumber(values, 'max_messages', [1, 100], 10),
      waitMs: wholeNumber(values, 'wait_seconds', [0, 60], 20) * 1000,
      visibilityMs: wholeNumber(values, 'visibility_timeout', [1, 600], 30) * 1000,
      clock: options.tools.clock,
      signal: gone.signal
    })
    // there is no key `messages` when nothing is buffered
    return messages.length > 0 ? { messages } : {}
  })

  app.post('/messages/ack', named('ack_notifications'), async ({ body, standIn: { cloud } }) => {
    const handles = (body as { receipt_handles?: unknown } | undefined)?.receipt_handles
    if (!Array.isArray(handles) || handles.length === 0) throw missing('receipt_handles')
    if (handles.length > ACKNOWLEDGE_LIMIT)
      throw new ApiError(400, `Too many receipt handles: at most ${ACKNOWLEDGE_LIMIT}`)
    return {
      results: handles.map((handle) => ({
        receipt_handle: handle,
        status: cloud.channels.acknowledge(handle) ? 'acked' : 'not_found'
      }))
    }
  })
}

function wholeNumber(
  values: Values,
  name: string,
  [least, most]: readonly [number, number],
  otherwise: number
): number {
  const text = textOf(values, name)
  if (text === undefined) return otherwise
  const number = Number(text)
  if (!Number.isInteger(number) || number < least || number > most)
    throw new ApiError(
      400,
      `Invalid value ${text} for parameter ${name}: it must be from ${least} to ${most}`
    )
  return number
}
