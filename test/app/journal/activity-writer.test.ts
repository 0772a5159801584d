import { QueryCommand, ScanCommand } from '@aws-sdk/lib-dynamodb'
import t from 'tap'
import { ActivityWriter } from '../../../app/journal/activity-writer.ts'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import { MinuteCounts } from '../../../app/metrics/minute-counts.ts'
import { startDynamoDb } from '../../../dev/embedded-dynamodb.ts'

const dynamoDb = await startDynamoDb()
Object.assign(process.env, dynamoDb.environment)
const client = createDynamoDbClient()
const { tableName: TableName } = dynamoDb
t.teardown(async () => {
  client.destroy()
  await dynamoDb.stop()
})

const NOW = Date.parse('2026-06-01T12:00:00Z')
const AT = '2026-06-01T12:00:00.000Z'

const writer = new ActivityWriter({ client, tableName: TableName, process: 'p1', clock: () => NOW })

const partition = async (key: string) => {
  const { Items } = await client.send(
    new QueryCommand({
      TableName,
      IndexName: 'history',
      KeyConditionExpression: 'historyKey = :key',
      ExpressionAttributeValues: { ':key': key }
    })
  )
  return Items ?? []
}

t.test('stores the totals of a minute, and replaces them', async (t) => {
  const counts = new MinuteCounts(AT)
  counts.add('accepted', 1)
  await writer.putMinute(counts.record())
  counts.add('accepted', 1)
  await writer.putMinute(counts.record())
  const items = await partition('minutes#2026-06-01T12')
  t.equal(items.length, 1)
  t.match(items, [{ id: `minute#${AT}#p1`, receivedAt: AT, counts: { counts: { accepted: 2 } } }])
})

t.test('stores at most 100 refused notifications a day', async (t) => {
  for (let number = 0; number < 101; number++) {
    await writer.putRefused({ at: AT, code: 'SIGNATURE_MISSING', headers: {} })
  }
  const items = await partition('refused#2026-06-01')
  t.equal(items.length, 100)
  t.ok(items.every(({ id }) => /^refused#2026-06-01#\d\d?$/.test(id)))
})

t.test('stores one sample of the queue, and all items expire after a week', async (t) => {
  const sample = { at: AT, waiting: 1, inFlight: 2, deadLetters: 3, breakerOpen: false }
  await writer.putQueue(sample)
  t.match(await partition('queue'), [{ id: 'queue#p1', sample }])
  const { Items = [] } = await client.send(new ScanCommand({ TableName }))
  const expiries = new Set(Items.map(({ expiresAt }) => expiresAt))
  t.strictSame([...expiries], [NOW / 1000 + 7 * 86_400])
  t.notOk(Items.some((item) => 'feedShard' in item || 'status' in item))
})

t.test('gives up when the journal does not answer in time', async (t) => {
  dynamoDb.server.prependOnceListener('request', (request) => request.removeAllListeners())
  const impatient = new ActivityWriter({
    client,
    tableName: 'missing',
    process: 'p1',
    clock: () => NOW,
    timeoutMs: 1
  })
  await t.rejects(impatient.putQueue({ at: AT, waiting: 1, inFlight: 2, deadLetters: 3, breakerOpen: false }))
})
