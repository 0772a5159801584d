import { type BatchGetCommand, type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb'
import t from 'tap'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import { knownEvents } from '../../../app/journal/known-events.ts'
import { startDynamoDb } from '../../../dev/dynamodb.ts'

const dynamoDb = await startDynamoDb()
Object.assign(process.env, dynamoDb.environment)
const { tableName } = dynamoDb
const client = createDynamoDbClient()
t.teardown(async () => {
  client.destroy()
  await dynamoDb.stop()
})

type Send = (command: BatchGetCommand) => Promise<unknown>
const answering = (send: Send) => ({ client: { send } as unknown as DynamoDBDocumentClient, tableName })

t.test('returns the ids that the journal has', async (t) => {
  const ids = Array.from({ length: 250 }, (_, index) => `event-${index}`)
  const there = ids.filter((_, index) => index % 3 === 0)
  for (const id of there) await client.send(new PutCommand({ TableName: tableName, Item: { id } }))
  t.strictSame([...(await knownEvents(ids, { client, tableName }))].sort(), there.toSorted())
})

t.test('makes no call for no ids, and asks for each id once', async (t) => {
  const asked: unknown[] = []
  const { client: fake } = answering(async ({ input }) => {
    asked.push(input.RequestItems?.[tableName]?.Keys)
    return { Responses: { [tableName]: [{ id: 'a' }] } }
  })
  t.strictSame(await knownEvents([], { client: fake, tableName }), new Set())
  t.strictSame(await knownEvents(['a', 'a'], { client: fake, tableName }), new Set(['a']))
  t.strictSame(asked, [[{ id: 'a' }]])
})

t.test('asks again for unprocessed keys', async (t) => {
  const asked: unknown[][] = []
  const table = answering(async ({ input }) => {
    const keys = input.RequestItems![tableName]!.Keys!
    asked.push(keys.map(({ id }) => id))
    t.ok(input.RequestItems![tableName]!.ConsistentRead)
    return {
      Responses: { [tableName]: keys.slice(0, 1) },
      UnprocessedKeys: keys.length > 1 ? { [tableName]: { Keys: keys.slice(1) } } : {}
    }
  })
  t.strictSame([...(await knownEvents(['a', 'b', 'c'], table, 0))], ['a', 'b', 'c'])
  t.strictSame(asked, [['a', 'b', 'c'], ['b', 'c'], ['c']])
})

t.test('throws JOURNAL_UNAVAILABLE if keys stay unprocessed or the call fails', async (t) => {
  let calls = 0
  const busy = answering(async () => {
    calls++
    return { UnprocessedKeys: { [tableName]: { Keys: [{ id: 'a' }] } } }
  })
  await t.rejects(knownEvents(['a'], busy, 0), { code: 'JOURNAL_UNAVAILABLE', cause: Error })
  t.equal(calls, 8)
  const empty = answering(async () => ({ UnprocessedKeys: { [tableName]: {} } }))
  t.strictSame(await knownEvents(['a'], empty, 0), new Set())
  const absent = { client, tableName: 'absent' }
  await t.rejects(knownEvents(['a'], absent), {
    code: 'JOURNAL_UNAVAILABLE',
    cause: { name: 'ResourceNotFoundException' }
  })
})
