import t from 'tap'
import type { AssetEvent } from '../../../app/ingest/event.ts'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import { Journal } from '../../../app/journal/journal.ts'
import { NotifiedChanges } from '../../../app/journal/notified-changes.ts'
import { startDynamoDb } from '../../../dev/dynamodb.ts'
import { PATIENT } from '../../support/journal.ts'
import { eventOf } from '../../support/operator.ts'

const dynamoDb = await startDynamoDb()
Object.assign(process.env, dynamoDb.environment)
const table = { client: createDynamoDbClient(), tableName: dynamoDb.tableName }
t.teardown(async () => {
  table.client.destroy()
  await dynamoDb.stop()
})

const journal = new Journal(table)
const time = (text: string) => Date.parse(`2026-06-01T${text}Z`)
const bag = { assetId: 'bag-id', publicId: 'bag' }

let events = 0
const notified = (receivedAt: string, about: Partial<AssetEvent> = {}) => {
  const received = new Date(time(receivedAt)).toISOString()
  const event = { asset: bag, type: 'move' as const, occurredAt: received, receivedAt: received, ...about }
  return journal.ignore(eventOf(`${events++ % 16}-${events}`, event), 'not wanted', PATIENT)
}
const build = () => new NotifiedChanges(table, 'demo', ['move', 'rename'])
const timesIn = (changes: NotifiedChanges, asset: object = bag) =>
  changes
    .of(asset)
    .map(({ occurredAt }) => new Date(occurredAt).toISOString().slice(11, 19))
    .sort()

t.test('returns the changes of an asset in the loaded minutes', async (t) => {
  await notified('11:59:59')
  await notified('12:00:00', { origin: { source: 'api', id: '1', own: true } })
  await notified('12:02:00', { asset: { publicId: 'bag' } })
  await notified('12:02:00.500')
  await notified('12:02:30', { type: 'upload' })
  await notified('12:02:30', { environment: 'other' })
  await notified('12:02:30', { asset: null })
  await notified('12:02:30', { asset: { assetId: 'hat-id', publicId: 'hat' } })
  const changes = build()
  t.strictSame(changes.of(bag), [])
  await changes.load(time('12:00:30'), time('12:02:10'))
  t.strictSame(timesIn(changes), ['12:00:00', '12:02:00', '12:02:00'])
  t.strictSame(timesIn(changes, { assetId: 'hat-id' }), ['12:02:30'])
  t.strictSame(
    changes.of(bag).find(({ own }) => own),
    { type: 'move', occurredAt: time('12:00:00'), own: true }
  )
})

t.test('reads only missing minutes, and drops those outside the range', async (t) => {
  for (const minute of ['00', '01', '02']) await notified(`13:${minute}:00`)
  const changes = build()
  await changes.load(time('13:01:00'), time('13:01:30'))
  await notified('13:01:10')
  await notified('13:03:10')
  await changes.load(time('13:00:00'), time('13:03:00'))
  t.strictSame(timesIn(changes), ['13:00:00', '13:01:00', '13:02:00', '13:03:10'])
  await changes.load(time('13:03:00'), time('13:03:00'))
  t.strictSame(timesIn(changes), ['13:03:10'])
  await changes.load(time('13:01:00'), time('13:01:00'))
  t.strictSame(timesIn(changes), ['13:01:00', '13:01:10'])
})
