import type { FastifyInstance } from 'fastify'
import { authenticate } from './admin-api.ts'
import { ApiError } from './api-error.ts'
import { named } from './calls.ts'
import { type ApiOptions, intercept } from './intercept.ts'
import { missing, requiredText, textOf, type Values } from './values.ts'

/** Maximum number of receipt handles in a call. */
const ACKNOWLEDGE_LIMIT = 100

/**
 * The API of poll channels: `/v2/notifications/:cloud/messages`, with HTTP basic authentication. Paths,
 * parameters, limits and responses are those of pycloudinary 1.46.0. It is an assumption that these calls do
 * not count towards the hourly limit.
 */
export async function notificationsApi(app: FastifyInstance, options: ApiOptions): Promise<void> {
  intercept(app, options)
  app.addHook('preHandler', async (request) => {
    request.standIn.caller = authenticate(request, request.standIn.cloud)
  })

  app.get('/messages', named('notifications'), async ({ standIn: { cloud, form } }, reply) => {
    const { values } = form
    if (values.batch_id !== undefined)
      throw new ApiError(400, 'batch_id is not supported by this stand-in; use channel')
    const disconnected = new AbortController()
    reply.raw.once('close', () => disconnected.abort())
    const messages = await cloud.channels.receive(requiredText(values, 'channel'), {
      maxMessages: wholeNumber(values, 'max_messages', [1, 100], 10),
      waitMs: wholeNumber(values, 'wait_seconds', [0, 60], 20) * 1000,
      visibilityMs: wholeNumber(values, 'visibility_timeout', [1, 600], 30) * 1000,
      clock: options.tools.clock,
      signal: disconnected.signal
    })
    // without messages, the response has no key `messages`
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
  [minimum, maximum]: readonly [number, number],
  fallback: number
): number {
  const text = textOf(values, name)
  if (text === undefined) return fallback
  const number = Number(text)
  if (!Number.isInteger(number) || number < minimum || number > maximum)
    throw new ApiError(
      400,
      `Invalid value ${text} for parameter ${name}: it must be from ${minimum} to ${maximum}`
    )
  return number
}
