import type { IncomingMessage, ServerResponse } from 'node:http'
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb'
import t, { type Test } from 'tap'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import { startDynamoDb } from '../../../dev/dynamodb.ts'

const dynamoDb = await startDynamoDb()
const { tableName: TableName } = dynamoDb
t.teardown(() => dynamoDb.stop())

/** A client that is configured by the AWS SDK's own variables. */
function connect(t: Test) {
  const before = { ...process.env }
  Object.assign(process.env, dynamoDb.environment)
  const client = createDynamoDbClient()
  t.teardown(() => {
    client.destroy()
    for (const name of Object.keys(dynamoDb.environment)) {
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
    }
  })
  return client
}

/** Calls `before` with the number of each request, from 1, before DynamoDB handles it. */
function intercept(
  t: Test,
  before: (call: number, request: IncomingMessage, response: ServerResponse) => void
) {
  let calls = 0
  const listener = (request: IncomingMessage, response: ServerResponse) => before(++calls, request, response)
  dynamoDb.server.prependListener('request', listener)
  t.teardown(() => dynamoDb.server.off('request', listener))
  return () => calls
}

t.test('writes and reads plain objects, and omits undefined values', async (t) => {
  const client = connect(t)
  const Item = { id: 'plain', nothing: null, number: 1.5, list: ['a'], map: { 'a.b-c': true } }
  await client.send(
    new PutCommand({ TableName, Item: { ...Item, gone: undefined, map: { ...Item.map, gone: undefined } } })
  )
  const answer = await client.send(new GetCommand({ TableName, Key: { id: 'plain' } }))
  t.strictSame(answer.Item, Item)
})

t.test('attempts a call four times when the connection fails', async (t) => {
  const client = connect(t)
  const calls = intercept(t, (call, request) => {
    if (call !== 4) request.destroy()
  })
  await client.send(new PutCommand({ TableName, Item: { id: 'fourth' } }))
  t.equal(calls(), 4)
  await t.rejects(client.send(new PutCommand({ TableName, Item: { id: 'eighth' } })), { code: 'ECONNRESET' })
  t.equal(calls(), 8)
})

t.test('times out an attempt after 3 s and retries', async (t) => {
  const client = connect(t)
  const calls = intercept(t, (call, _request, response) => {
    if (call === 1) response.end = () => response
  })
  const startedAt = performance.now()
  await client.send(new PutCommand({ TableName, Item: { id: 'late' } }))
  t.equal(calls(), 2)
  t.ok(performance.now() - startedAt >= 2900)
})
