import { randomUUID } from 'node:crypto'
import { PutCommand } from '@aws-sdk/lib-dynamodb'
import t from 'tap'
import type { AssetEvent } from '../../../app/ingest/event.ts'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import { Journal } from '../../../app/journal/journal.ts'
import { readEntry, readEvent } from '../../../app/journal/journal-entry.ts'
import { startDynamoDb } from '../../../dev/embedded-dynamodb.ts'
import { sampleEvent } from '../../support/events.ts'
import { beginAttempt, PATIENT } from '../../support/journal.ts'

const dynamoDb = await startDynamoDb()
Object.assign(process.env, dynamoDb.environment)
const table = { client: createDynamoDbClient(), tableName: dynamoDb.tableName }
t.teardown(async () => {
  table.client.destroy()
  await dynamoDb.stop()
})

const journal = new Journal(table)
const newEvent = (): AssetEvent => ({ ...sampleEvent('upload'), id: randomUUID() })

t.test('reads an event with its payload unchanged', async (t) => {
  const payload = { text: 'ä€😀\u0000\ud800', deep: [[{ '': null }]], huge: 1e300, 'a.b': '' }
  const event = { ...newEvent(), payload }
  const { id, openedAt } = await beginAttempt(journal, event)
  const entry = {
    status: 'processing',
    attempts: 1,
    processors: {},
    openedAt,
    attemptId: id,
    attemptStartedAt: openedAt
  }
  t.strictSame(await readEvent(table, event.id), { ...entry, event })
  t.strictSame(await readEntry(table, event.id), entry)
})

t.test('reads the earlier attempts, and no item that is not an event', async (t) => {
  const event = newEvent()
  const { id } = await beginAttempt(journal, event)
  await beginAttempt(journal, event)
  t.match(await readEntry(table, event.id), { attempts: 2, history: [{ id, processors: {} }] })
  await table.client.send(
    new PutCommand({ TableName: table.tableName, Item: { id: 'minute#1', counts: {} } })
  )
  t.equal(await readEntry(table, 'minute#1'), undefined)
  t.equal(await readEvent(table, 'minute#1'), undefined)
})

t.test('reads who replayed an event', async (t) => {
  const event = newEvent()
  const first = { kind: 'replay', id: 'r1', by: 'anna', at: '2026-06-01T12:00:00.000Z', from: 'api' } as const
  const replayed = { ...event, run: first }
  for (const run of [undefined, first, first, { kind: 'redrive', id: 'r2' } as const])
    await beginAttempt(journal, run ? { ...replayed, run } : event)
  const { replays = [] } = (await readEntry(table, event.id))!
  t.match(replays, [
    { run: 'r1', kind: 'replay', by: 'anna', at: first.at, from: 'api' },
    { run: 'r2', kind: 'redrive' }
  ])
  t.equal(replays.length, 2, 'a second attempt of a replay is not another replay')
})

t.test('an ignored event has no attempts', async (t) => {
  const event = newEvent()
  await journal.ignore(event, 'not wanted', PATIENT)
  t.strictSame(await readEntry(table, event.id), { status: 'ignored', attempts: 0, processors: {} })
})

t.test('reads the run, the signature time and the later change', async (t) => {
  const id = randomUUID()
  const more = { run: 'r1', signedAt: 'then', later: { id: 'other', signedAt: 'later' } }
  await table.client.send(
    new PutCommand({ TableName: table.tableName, Item: { id, status: 'retrying', ...more } })
  )
  t.match(await readEvent(table, id), { status: 'retrying', event: undefined, ...more })
})

t.test('returns undefined for an unknown event', async (t) => {
  t.equal(await readEvent(table, 'unknown'), undefined)
  t.equal(await readEntry(table, 'unknown'), undefined)
})
