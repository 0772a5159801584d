import { PutCommand } from '@aws-sdk/lib-dynamodb'
import t from 'tap'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import { readFeed } from '../../../app/journal/feed.ts'
import { Journal } from '../../../app/journal/journal.ts'
import { feedShard } from '../../../app/journal/journal-table.ts'
import { startDynamoDb } from '../../../dev/dynamodb.ts'
import { PATIENT } from '../../support/journal.ts'
import { eventOf } from '../../support/operator.ts'

const dynamoDb = await startDynamoDb()
Object.assign(process.env, dynamoDb.environment)
const { tableName } = dynamoDb
const client = createDynamoDbClient()
const table = { client, tableName }
t.teardown(async () => {
  client.destroy()
  await dynamoDb.stop()
})

const time = (text: string) => Date.parse(`2026-06-${text}Z`)

async function received(from: number, until: number): Promise<string[]> {
  const times: string[] = []
  await readFeed(table, { from, until }, ['type'], ({ receivedAt }) => void times.push(receivedAt))
  return times.sort()
}

t.test('reads the events of a range from all shards of all its days', async (t) => {
  const journal = new Journal(table)
  const times = [
    '01T22:59:59.999',
    '01T23:00:00.000',
    '01T23:59:59.999',
    '02T00:00:00.000',
    '03T01:00:00.000'
  ]
  for (const [index, text] of [...times, '03T01:00:00.001'].entries()) {
    const event = eventOf(`${(index * 5) % 16}`, { receivedAt: new Date(time(text)).toISOString() })
    await journal.ignore(event, 'no processor wants it', PATIENT)
  }
  t.strictSame(
    await received(time('01T23:00:00'), time('03T01:00:00')),
    times.slice(1).map((text) => `2026-06-${text}Z`)
  )
})

t.test('reads several pages, and only the given attributes', async (t) => {
  const receivedAt = '2026-06-05T12:00:00.000Z'
  const large = { ...eventOf('a', { asset: { publicId: 'x'.repeat(200_000) } }), receivedAt }
  for (let index = 0; index < 8; index++) {
    const id = `a${index}`
    await client.send(
      new PutCommand({ TableName: tableName, Item: { ...large, id, feedShard: feedShard(id, receivedAt) } })
    )
  }
  const items: object[] = []
  const at = Date.parse(receivedAt)
  await readFeed(table, { from: at, until: at }, ['type'], (item) => void items.push(item))
  t.equal(items.length, 8)
  t.strictSame(Object.keys(items[0]!).sort(), ['feedShard', 'receivedAt', 'type'])
})

t.test('throws JOURNAL_UNAVAILABLE if DynamoDB fails', async (t) => {
  const absent = { client, tableName: 'absent' }
  await t.rejects(
    readFeed(absent, { from: 0, until: 0 }, ['type'], () => {}),
    { code: 'JOURNAL_UNAVAILABLE' }
  )
})
