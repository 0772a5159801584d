import t from 'tap'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import { Journal } from '../../../app/journal/journal.ts'
import { JournalReader } from '../../../app/journal/journal-reader.ts'
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

const RECEIVED_AT = Date.parse('2026-06-01T12:00:00.000Z')
const RANGE = { from: RECEIVED_AT, until: RECEIVED_AT }
const bag = { assetId: 'bag-id', publicId: 'bag' }
const event = eventOf('a1', { asset: bag, type: 'move', receivedAt: new Date(RECEIVED_AT).toISOString() })
const reader = new JournalReader(table)

t.before(() => new Journal(table).ignore(event, 'not wanted', PATIENT))

t.test('finds an event by its id', async (t) => {
  t.match(await reader.find('a1'), { event, status: 'ignored' })
  t.equal(await reader.find('unknown'), undefined)
})

t.test('returns the ids that the journal knows', async (t) => {
  t.strictSame(await reader.knownEvents(['a1', 'unknown']), new Set(['a1']))
})

t.test('returns the history of assets', async (t) => {
  const historyOf = await reader.assetHistory('demo', [bag], [RANGE])
  t.match(historyOf(bag), [{ type: 'move' }])
})

t.test('returns the notified changes of an environment', async (t) => {
  const changes = reader.notifiedChanges('demo', ['move'])
  await changes.load(RECEIVED_AT, RECEIVED_AT)
  t.match(changes.of(bag), [{ type: 'move' }])
})

t.test('returns the time until which every event was started', async (t) => {
  const clock = () => RECEIVED_AT + 3_600_000
  const later = eventOf('b2', { receivedAt: new Date(clock()).toISOString() })
  await new Journal({ ...table, clock }).ignore(later, 'not wanted', PATIENT)
  t.equal(await reader.startedThrough({ from: RECEIVED_AT, until: clock() }), undefined, 'both just now')
  const muchLater = eventOf('c3', { receivedAt: new Date(clock()).toISOString() })
  await new Journal(table).ignore(muchLater, 'not wanted', PATIENT)
  t.equal(await reader.startedThrough(RANGE), undefined)
})

t.test('throws JOURNAL_UNAVAILABLE if DynamoDB fails', async (t) => {
  const absent = new JournalReader({ ...table, tableName: 'absent' })
  const unavailable = { code: 'JOURNAL_UNAVAILABLE', cause: { name: 'ResourceNotFoundException' } }
  await t.rejects(absent.find('a1'), unavailable)
  await t.rejects(absent.knownEvents(['a1']), unavailable)
  await t.rejects(absent.assetHistory('demo', [bag], [RANGE]), unavailable)
  await t.rejects(absent.startedThrough(RANGE), unavailable)
  await t.rejects(absent.notifiedChanges('demo', ['move']).load(RECEIVED_AT, RECEIVED_AT), unavailable)
})
