/** Child process: runs an embedded journal, and writes events at a steady rate until its parent stops it. */

import { setTimeout as pause } from 'node:timers/promises'
import { BatchWriteCommand } from '@aws-sdk/lib-dynamodb'
import { createDynamoDbClient } from '../../app/journal/dynamodb.ts'
import { startDynamoDb } from '../../dev/embedded-dynamodb.ts'
import { journalItem } from './journal-item.ts'

const PER_SECOND = Number(process.argv[2])
const BATCH = 25

const dynamoDb = await startDynamoDb()
Object.assign(process.env, dynamoDb.environment)
const client = createDynamoDbClient()
process.once('disconnect', () => process.exit())
process.send?.({
  url: dynamoDb.url,
  environment: { ...dynamoDb.environment, JOURNAL_TABLE: dynamoDb.tableName }
})

const startedAt = performance.now()
for (let written = 0; ; written += BATCH) {
  const requests = Array.from({ length: BATCH }, (_, index) => ({
    PutRequest: { Item: journalItem(written + index, Date.now()) }
  }))
  await client.send(new BatchWriteCommand({ RequestItems: { [dynamoDb.tableName]: requests } }))
  await pause(Math.max(0, startedAt + ((written + BATCH) * 1000) / PER_SECOND - performance.now()))
}
