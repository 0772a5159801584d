import { buildActivityServer } from '../activity/activity-server.ts'
import type { ActivityStore } from '../activity/activity-store.ts'
import { limitStore } from '../activity/limited-store.ts'
import { LiveFeed } from '../activity/live-feed.ts'
import { RepairRunner } from '../activity/repair-runner.ts'
import { createActivityStore } from '../journal/activity-reader.ts'
import { discardEvent } from '../journal/discard-event.ts'
import { createDynamoDbClient } from '../journal/dynamodb.ts'
import { JournalReader } from '../journal/journal-reader.ts'
import type { JournalTable } from '../journal/journal-table.ts'
import { RepairItems } from '../journal/repair-items.ts'
import { DeadLetterReader } from '../queue/dead-letter-reader.ts'
import { EventSender } from '../queue/event-sender.ts'
import { messagesIn } from '../queue/sqs-client.ts'
import { Lifecycle } from '../web/lifecycle.ts'
import { createRegionalSqs, newRunId, RECEIVE_MS, SEND_MS } from '../wiring.ts'
import { defineRole } from './role.ts'

/** The activity role, with a store on the journal's table. */
export const activityRole = (createStore: (table: JournalTable) => ActivityStore) =>
  defineRole({
    requires: ['QUEUE_URL', 'DEAD_LETTER_QUEUE_URL', 'JOURNAL_TABLE', 'ACTIVITY_PASSWORD'],
    stopWithinMs: 30_000,
    async start({ config, log, tracing }) {
      const [sqs, receivingSqs] = await Promise.all([
        createRegionalSqs(SEND_MS),
        createRegionalSqs(RECEIVE_MS)
      ])
      const deadLetterQueue = { sqs: receivingSqs, queueUrl: config.DEAD_LETTER_QUEUE_URL }
      const dynamoDb = createDynamoDbClient()
      const table = { client: dynamoDb, tableName: config.JOURNAL_TABLE }
      const journaled = createStore(table)
      const store = limitStore(journaled)
      const sender = new EventSender({ sqs, queueUrl: config.QUEUE_URL, tracing })
      const repairs = new RepairRunner({
        store,
        repairs: new RepairItems(table),
        journal: new JournalReader(table),
        discardEvent: (id, discard) => discardEvent(table, id, discard),
        sender,
        deadLetters: {
          open: () => new DeadLetterReader({ ...deadLetterQueue, log }),
          count: () => messagesIn(deadLetterQueue.sqs, deadLetterQueue.queueUrl)
        },
        log,
        clock: Date.now,
        newRunId
      })
      const lifecycle = new Lifecycle()
      const server = await buildActivityServer({
        log,
        store,
        // the live feed polls all the time: it must not wait behind searches
        liveFeed: new LiveFeed({ store: journaled, log }),
        repairs,
        lifecycle,
        password: config.ACTIVITY_PASSWORD,
        readTokens: config.ACTIVITY_READ_TOKENS ?? [],
        allowedOrigins: config.ACTIVITY_ALLOWED_ORIGINS ?? [],
        clock: Date.now
      })
      const url = await server.listen({ port: config.PORT, host: config.HOST })
      lifecycle.state = 'ready'
      log.info({ url, page: `${url}/activity` }, 'activity is ready')
      return async () => {
        lifecycle.state = 'draining'
        await server.close()
        await repairs.stop()
        await sender.idle()
        dynamoDb.destroy()
        sqs.destroy()
        receivingSqs.destroy()
      }
    }
  })

export const activity = activityRole(createActivityStore)
