import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import { PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import t from 'tap'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import {
  ABSENT,
  lastAttemptIs,
  lastAttemptIsStill,
  NEVER_STARTED,
  NOT_DONE_OR_ABSENT,
  noLaterThan,
  UNFINISHED_OR_ABSENT,
  type WriteCondition
} from '../../../app/journal/write-conditions.ts'
import { startDynamoDb } from '../../../dev/embedded-dynamodb.ts'

const dynamoDb = await startDynamoDb()
Object.assign(process.env, dynamoDb.environment)
const client = createDynamoDbClient()
const { tableName: TableName } = dynamoDb
t.teardown(async () => {
  client.destroy()
  await dynamoDb.stop()
})

const ITEMS: Record<string, object> = {
  ignored: { status: 'ignored' },
  processing: { status: 'processing', attemptId: 'x' },
  retrying: { status: 'retrying', attemptId: 'y' },
  done: { status: 'done', attemptId: 'x' },
  dead: { status: 'dead', attemptId: 'z' },
  changed: { status: 'done', later: { id: 'other', signedAt: '2026-06-01' } }
}

t.before(async () => {
  for (const [id, item] of Object.entries(ITEMS)) {
    await client.send(new PutCommand({ TableName, Item: { id, ...item } }))
  }
})

/** Whether DynamoDB accepts a write of an item with this condition. */
async function accepts(id: string, condition: WriteCondition): Promise<boolean> {
  try {
    await client.send(
      new UpdateCommand({
        TableName,
        Key: { id },
        UpdateExpression: 'REMOVE #unused',
        ConditionExpression: condition.expression,
        ExpressionAttributeNames: { '#unused': 'unused', ...condition.names },
        ...(condition.values && { ExpressionAttributeValues: condition.values })
      })
    )
    return true
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false
    throw error
  }
}

const CASES: [name: string, condition: WriteCondition, accepted: string[]][] = [
  ['no later change', noLaterThan('2026-06-02'), Object.keys(ITEMS)],
  ['a later change', noLaterThan('2026-05-31'), ['ignored', 'processing', 'retrying', 'done', 'dead']],
  ['never started', NEVER_STARTED, ['ignored', 'changed']],
  ['the last attempt', lastAttemptIs('x'), ['processing', 'done']],
  ['the last attempt, which goes on', lastAttemptIsStill('x', 'processing'), ['processing']],
  ['unfinished or absent', UNFINISHED_OR_ABSENT, ['processing', 'retrying', 'unknown-1']],
  ['not done or absent', NOT_DONE_OR_ABSENT, ['processing', 'retrying', 'dead', 'unknown-3']],
  ['absent', ABSENT, ['unknown-2']]
]
for (const [name, condition, accepted] of CASES) {
  t.test(`accepts only events that match: ${name}`, async (t) => {
    const ids = new Set([...Object.keys(ITEMS), ...accepted])
    for (const id of ids) t.equal(await accepts(id, condition), accepted.includes(id), id)
  })
}
