import { GetCommand } from '@aws-sdk/lib-dynamodb'
import t from 'tap'
import { createActivityStore } from '../../../app/journal/activity-reader.ts'
import { DISCARD_ATTRIBUTES, discardEvent } from '../../../app/journal/discard-event.ts'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import type { AttemptOutcome } from '../../../app/journal/journal.ts'
import { Journal } from '../../../app/journal/journal.ts'
import { JOURNAL } from '../../../app/journal/journal-table.ts'
import { startDynamoDb } from '../../../dev/embedded-dynamodb.ts'
import { failed } from '../../support/activity-events.ts'
import { sampleEvent } from '../../support/events.ts'
import { beginAttempt, PATIENT } from '../../support/journal.ts'

const dynamoDb = await startDynamoDb()
Object.assign(process.env, dynamoDb.environment)
const client = createDynamoDbClient()
const table = { client, tableName: dynamoDb.tableName }
t.teardown(async () => {
  client.destroy()
  await dynamoDb.stop()
})

const journal = new Journal(table)
const store = createActivityStore(table)
const { signal } = new AbortController()
const DISCARD = { by: 'anna', at: '2026-06-01T12:00:00.000Z', from: 'page', reason: 'gone' } as const
const DEAD = failed('dead', Date.parse(DISCARD.at))

let ids = 0
const eventWith = async (status: AttemptOutcome['status']) => {
  const event = { ...sampleEvent('upload'), id: `abc${++ids}`, receivedAt: new Date().toISOString() }
  const attempt = await beginAttempt(journal, event)
  await journal.record(attempt, { notify: DEAD }, { status }, PATIENT)
  return event
}
const itemOf = async (id: string) =>
  (await client.send(new GetCommand({ TableName: table.tableName, Key: { id } }))).Item!

t.test('a discarded event is not dead any more, and its ledger stays as it was', async (t) => {
  const { id } = await eventWith('dead')
  const before = await itemOf(id)
  t.equal(await discardEvent(table, id, DISCARD), true)
  const after = await itemOf(id)
  t.match(await store.find(id), { status: 'discarded', discarded: DISCARD })
  const { events } = await store.unfinished('dead', { filter: {}, limit: 10, signal })
  t.strictSame(events, [])
  const changed = Object.keys({ ...before, ...after }).filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name])
  )
  t.ok(changed.includes(JOURNAL.unfinishedIndex.partitionKey))
  for (const name of changed) t.ok((DISCARD_ATTRIBUTES as readonly string[]).includes(name), name)
  t.equal(await discardEvent(table, id, { ...DISCARD, reason: 'again' }), true, 'repeated')
  t.match(await store.find(id), { discarded: { reason: 'gone' } })
})

t.test('only a dead event can be discarded', async (t) => {
  for (const status of ['retrying', 'done'] as const) {
    const { id } = await eventWith(status)
    t.equal(await discardEvent(table, id, DISCARD), false)
    t.match(await store.find(id), { status })
  }
  t.equal(await discardEvent(table, 'abcdef', DISCARD), false)
})

t.test('an event that is redriven meanwhile is left alone', async (t) => {
  const event = await eventWith('dead')
  const racing = {
    ...table,
    client: {
      send: async (command: unknown) => {
        if (!(command instanceof GetCommand)) return client.send(command as never)
        const answer = await client.send(command)
        await beginAttempt(journal, { ...event, run: { kind: 'redrive', id: 'r1' } })
        return answer
      }
    } as never
  }
  t.equal(await discardEvent(racing, event.id, DISCARD), false)
  t.match(await store.find(event.id), { status: 'processing', run: 'r1' })
})

t.test('a write whose answer was lost can be repeated', async (t) => {
  const { id } = await eventWith('dead')
  const repeating = {
    ...table,
    client: {
      send: async (command: unknown) => {
        if (!(command instanceof GetCommand)) await client.send(command as never)
        return client.send(command as never)
      }
    } as never
  }
  t.equal(await discardEvent(repeating, id, DISCARD), true)
  t.match(await store.find(id), { status: 'discarded', discarded: DISCARD })
})

t.test('reports a journal that does not answer', async (t) => {
  const down = { ...table, client: { send: async () => Promise.reject(new Error('down')) } as never }
  await t.rejects(discardEvent(down, 'abc', DISCARD), { code: 'JOURNAL_UNAVAILABLE' })
  const { id } = await eventWith('dead')
  const half = {
    ...table,
    client: {
      send: async (command: unknown) =>
        command instanceof GetCommand ? client.send(command) : Promise.reject(new Error('down'))
    } as never
  }
  await t.rejects(discardEvent(half, id, DISCARD), { code: 'JOURNAL_UNAVAILABLE' })
})
