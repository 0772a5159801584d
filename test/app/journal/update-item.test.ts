import { GetCommand } from '@aws-sdk/lib-dynamodb'
import t from 'tap'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import { type Change, updateItem } from '../../../app/journal/update-item.ts'
import { ABSENT, UNFINISHED_OR_ABSENT, type WriteCondition } from '../../../app/journal/write-conditions.ts'
import { startDynamoDb } from '../../../dev/dynamodb.ts'

const dynamoDb = await startDynamoDb()
Object.assign(process.env, dynamoDb.environment)
const table = { client: createDynamoDbClient(), tableName: dynamoDb.tableName }
t.teardown(async () => {
  table.client.destroy()
  await dynamoDb.stop()
})

const update = (changes: Record<string, Change>, condition: WriteCondition = UNFINISHED_OR_ABSENT) =>
  updateItem(table, 'an-event', changes, condition)

async function item(): Promise<Record<string, unknown> | undefined> {
  const { Item } = await table.client.send(
    new GetCommand({ TableName: table.tableName, Key: { id: 'an-event' } })
  )
  return Item
}

t.test('sets and removes attributes, and sets others only if they are absent', async (t) => {
  // `status` and `values` are reserved words of DynamoDB
  t.ok(await update({ status: { set: 'processing' }, values: { ifAbsent: [1] }, reason: { set: 'x' } }))
  t.ok(await update({ status: { set: 'retrying' }, values: { ifAbsent: [2] }, reason: 'remove' }))
  t.strictSame(await item(), { id: 'an-event', status: 'retrying', values: [1] })
})

t.test('changes nothing if the condition is not met', async (t) => {
  const before = await item()
  t.equal(await update({ status: { set: 'done' } }, ABSENT), false)
  t.strictSame(await item(), before)
})

t.test('throws any other error of DynamoDB', async (t) => {
  await t.rejects(update({ id: { set: 'another' } }), { name: 'ValidationException' })
})
