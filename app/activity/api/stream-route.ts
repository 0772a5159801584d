import { Readable } from 'node:stream'
import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import type { StartInterval } from '../../interval.ts'
import type { Access } from '../access.ts'
import type { ActivityEvent } from '../activity-store.ts'
import { FilterError, FilterSchema, filterFrom, parseParameters } from '../event-filter.ts'
import { checkFilter, feedEvent } from '../feed-event.ts'
import type { LiveFeed } from '../live-feed.ts'
import { RequestError } from '../request-error.ts'
import { routeSchema } from './route-schema.ts'

export interface StreamOptions {
  liveFeed: LiveFeed
  every: StartInterval
  /**
   * Maximum unread data of a slow client, in bytes. A client that exceeds it is disconnected, and can resume.
   */
  maximumUnread?: number
}

/** Interval of heartbeats, in milliseconds. They keep load balancers from closing an idle connection. */
const HEARTBEAT_MS = 15_000

const MAX_UNREAD = 1024 * 1024

/** Delay before a client reconnects, in milliseconds. */
const RETRY_MS = 2000

const StreamSchema = FilterSchema.omit({ text: true }).extend({
  lastEventId: z
    .string()
    .max(100)
    .describe('id of the last message received; same as the header Last-Event-ID')
    .optional()
})

const STREAM = routeSchema({
  summary: 'New and changed events, as server-sent events',
  description:
    'Each message contains an event of the list as JSON. It replaces an earlier event with the same id. ' +
    'Without Last-Event-ID the stream starts with the events of the last 15 s. A server-sent event named ' +
    '`reset` means that messages may be missing: load the list again. `tag` matches only tags that an ' +
    'event added or removed; `folder` matches the public id.',
  querystring: StreamSchema,
  answers: { 200: 'text/event-stream' },
  errors: [400, 403, 503],
  forTokens: true
})

/** Route of the API: `GET /stream`. */
export const streamRoute: FastifyPluginAsync<StreamOptions> = async (app, options) => {
  const { liveFeed, every, maximumUnread = MAX_UNREAD } = options
  // all viewers with the same access receive the same text
  const texts: Record<Access, WeakMap<ActivityEvent, string>> = { full: new WeakMap(), read: new WeakMap() }
  const textOf = (event: ActivityEvent, access: Access): string => {
    const known = texts[access].get(event)
    if (known !== undefined) return known
    const text = JSON.stringify(feedEvent(event, access))
    texts[access].set(event, text)
    return text
  }

  const route = { schema: STREAM, config: { access: 'token' as const }, exposeHeadRoute: false }
  app.get('/stream', route, async (request, reply) => {
    const { access, headers, log } = request
    const { lastEventId, ...parameters } = parseStreamQuery(request.query)
    const filter = filterFrom(parameters)
    checkFilter(filter, access)
    const stream = new Readable({ read: () => {} })
    const write = (text: string) => {
      if (stream.readableLength + text.length > maximumUnread) {
        log.info({ unreadBytes: stream.readableLength }, 'slow viewer disconnected')
        stream.destroy()
      } else if (!stream.destroyed) {
        stream.push(text)
      }
    }
    write(`retry: ${RETRY_MS}\n\n`)
    const header = headers['last-event-id']
    const leave = liveFeed.watch({
      filter,
      lastId: typeof header === 'string' && header !== '' ? header : lastEventId,
      send: (message) =>
        write(
          message.kind === 'reset'
            ? `event: reset\nid: ${message.id}\ndata: {}\n\n`
            : `id: ${message.id}\ndata: ${textOf(message.event, access)}\n\n`
        ),
      end: () => void stream.push(null)
    })
    if (!leave) throw new RequestError(503, 'TOO_MANY_VIEWERS', 'too many viewers; try again later', 30)
    const stopBeating = every(HEARTBEAT_MS, () => write(': still here\n\n'))
    stream.once('close', () => {
      stopBeating()
      leave()
    })
    return reply
      .header('content-type', 'text/event-stream; charset=utf-8')
      .header('x-accel-buffering', 'no')
      .send(stream)
  })
}

function parseStreamQuery(query: unknown) {
  if (typeof query === 'object' && query !== null && 'text' in query && query.text !== '') {
    throw new FilterError('text', 'the stream does not search payloads')
  }
  const { text: _, ...parameters } = query as { text?: '' }
  return parseParameters(StreamSchema, parameters)
}
