import type { IncomingMessage, ServerResponse } from 'node:http'
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb'
import t, { type Test } from 'tap'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import { startDynamoDb } from '../../../dev/embedded-dynamodb.ts'

const dynamoDb = await startDynamoDb()
const { tableName: TableName } = dynamoDb
t.teardown(() => dynamoDb.stop())

/** A client that is told by the AWS SDK's own variables where DynamoDB is. */
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

/** Comes between each request, the first being 1, and what DynamoDB does with it. */
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

t.test('plain objects are written and read; what is undefined is left out', async (t) => {
  const client = connect(t)
  const Item = { id: 'plain', nothing: null, number: 1.5, list: ['a'], map: { 'a.b-c': true } }
  await client.send(
    new PutCommand({ TableName, Item: { ...Item, gone: undefined, map: { ...Item.map, gone: undefined } } })
  )
  const answer = await client.send(new GetCommand({ TableName, Key: { id: 'plain' } }))
  t.strictSame(answer.Item, Item)
})

t.test('a call that breaks off is tried four times', async (t) => {
  const client = connect(t)
  const calls = intercept(t, (call, request) => {
    if (call !== 4) request.destroy()
  })
  await client.send(new PutCommand({ TableName, Item: { id: 'fourth' } }))
  t.equal(calls(), 4)
  await t.rejects(client.send(new PutCommand({ TableName, Item: { id: 'eighth' } })), { code: 'ECONNRESET' })
  t.equal(calls(), 8)
})

t.test('a try that is not answered within 3 s ends, and the next one may succeed', async (t) => {
  const client = connect(t)
  const calls = intercept(t, (call, _request, response) => {
    if (call === 1) response.end = () => response
  })
  const startedAt = performance.now()
  await client.send(new PutCommand({ TableName, Item: { id: 'late' } }))
  t.equal(calls(), 2)
  t.ok(performance.now() - startedAt >= 2900)
})
