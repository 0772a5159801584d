import type { FastifyInstance } from 'fastify'

export const EVENT_BUS_NAME = 'cloudinary-events'

/** An event on the bus. */
export interface BusEntry {
  Source: string
  DetailType: string
  Detail: unknown
  /** Unix time, in seconds. */
  Time: number
}

/** Maximum number of events to keep. */
const REMEMBERED = 1000

/** Maximum entries of a call. Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html */
const MAX_ENTRIES = 10

/**
 * A bus of EventBridge in memory. `POST /event-bridge/` speaks the JSON protocol of the AWS SDK, for PutEvents and
 * DescribeEventBus; `GET /bus` shows the events. Accepts any credentials. The bodies of requests are buffers.
 */
export async function eventBusApi(app: FastifyInstance): Promise<void> {
  const entries: BusEntry[] = []
  let count = 0

  app.post<{ Body: Buffer }>('/event-bridge/', async ({ headers, body }, reply) => {
    const input = JSON.parse(body.toString())
    const refuse = (type: string, message: string) => {
      reply.code(400)
      return { __type: type, message }
    }
    switch (headers['x-amz-target']) {
      case 'AWSEvents.DescribeEventBus':
        return input.Name === EVENT_BUS_NAME
          ? { Name: EVENT_BUS_NAME }
          : refuse('ResourceNotFoundException', `Event bus ${input.Name} does not exist.`)
      case 'AWSEvents.PutEvents': {
        const given: (Omit<BusEntry, 'Detail'> & { EventBusName?: string; Detail: string })[] = input.Entries
        if (given.length > MAX_ENTRIES) return refuse('ValidationException', 'too many entries')
        const results = given.map(({ EventBusName, Source, DetailType, Detail, Time }) => {
          if (EventBusName !== EVENT_BUS_NAME)
            return { ErrorCode: 'ResourceNotFoundException', ErrorMessage: 'Event bus does not exist.' }
          entries.splice(0, entries.length - REMEMBERED + 1)
          entries.push({ Source, DetailType, Detail: JSON.parse(Detail), Time })
          count++
          return { EventId: `event-${count}` }
        })
        return { Entries: results, FailedEntryCount: results.filter(({ EventId }) => !EventId).length }
      }
      default:
        return refuse('UnknownOperationException', 'the stand-in has no such operation')
    }
  })

  app.get('/bus', async () => entries)
}
