import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { BatchGetCommand, GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import type { Tracing } from '../../../app/tracing/tracing.ts'
import { startDynamoDb } from '../../../dev/embedded-dynamodb.ts'
import { memoryTracing } from '../../support/tracing.ts'

const dynamoDb = await startDynamoDb()
const { tableName: TableName } = dynamoDb
t.teardown(() => dynamoDb.stop())

/** A client that is configured by the AWS SDK's own variables. */
function connect(t: Test, tracing?: Tracing) {
  const before = { ...process.env }
  Object.assign(process.env, dynamoDb.environment)
  const client = createDynamoDbClient(50, tracing)
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

t.test('sends the same updates as the SDK, but without its middleware', async (t) => {
  const client = connect(t)
  const plain = client.send.bind(client)
  const received: { isFromSdk: boolean; body: unknown; status: number }[] = []
  intercept(t, (_call, request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.once('finish', () =>
      received.push({
        isFromSdk: request.headers['user-agent'] !== undefined,
        body: JSON.parse(Buffer.concat(chunks).toString()),
        status: response.statusCode
      })
    )
  })
  const values = fc.dictionary(
    fc.stringMatching(/^[a-z]{1,5}$/),
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.integer(),
      fc.constant(undefined),
      fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes)),
      fc.uint8Array({ minLength: 1 }),
      fc.uint8Array({ minLength: 1 }).map((bytes) => new Set([bytes])),
      fc.array(fc.record({ when: fc.string({ minLength: 1 }), bytes: fc.uint8Array({ minLength: 1 }) }))
    ),
    { minKeys: 1 }
  )
  const update = (attributes: Record<string, unknown>, ReturnValues?: 'NONE') =>
    plain(
      new UpdateCommand({
        TableName,
        Key: { id: 'same' },
        UpdateExpression: 'SET #values = :values',
        ExpressionAttributeNames: { '#values': 'values' },
        ExpressionAttributeValues: { ':values': attributes },
        ...(ReturnValues && { ReturnValues })
      })
    )
  await update({ first: 1 })
  received.length = 0
  await fc.assert(
    fc.asyncProperty(values, async (attributes) => {
      await update(attributes)
      // a command with ReturnValues is left to the SDK
      await update(attributes, 'NONE')
      const [direct, sdk] = received.splice(0) as [(typeof received)[0], (typeof received)[0]]
      assert.deepEqual({ ...direct.body!, ReturnValues: 'NONE' }, sdk.body)
      assert.deepEqual([direct.isFromSdk, sdk.isFromSdk], [false, true])
      assert.deepEqual([direct.status, sdk.status], [200, 200])
    }),
    { numRuns: 50 }
  )
  t.pass('50 updates')
})

t.test('does not repeat an update that DynamoDB rejects', async (t) => {
  const client = connect(t)
  const update = (options: { UpdateExpression: string; ConditionExpression?: string }) =>
    client.send(new UpdateCommand({ TableName, Key: { id: 'rejected' }, ...options }))
  await update({ UpdateExpression: 'REMOVE gone' })
  const calls = intercept(t, () => {})
  await t.rejects(
    update({ UpdateExpression: 'REMOVE gone', ConditionExpression: 'attribute_exists(gone)' }),
    { name: 'ConditionalCheckFailedException' }
  )
  await t.rejects(update({ UpdateExpression: 'REMOVE' }), { name: 'ValidationException' })
  t.equal(calls(), 2)
})

t.test('leaves a throttled update to the SDK', async (t) => {
  const client = connect(t)
  const update = () =>
    client.send(new UpdateCommand({ TableName, Key: { id: 'busy' }, UpdateExpression: 'REMOVE gone' }))
  await update()
  const calls = intercept(t, (call, _request, response) => {
    if (call > 1) return
    response.writeHead(400).end('{"__type":"com.amazonaws.dynamodb#ThrottlingException"}')
    response.setHeader = () => response
    response.writeHead = () => response
    response.end = () => response
  })
  await update()
  t.equal(calls(), 2)
})

t.test('traces its calls by the names of the operations', async (t) => {
  const { tracing, spans } = memoryTracing()
  const client = connect(t, tracing)
  const Key = { id: 'traced' }
  await client.send(new PutCommand({ TableName, Item: Key }))
  await client.send(new BatchGetCommand({ RequestItems: { [TableName]: { Keys: [Key] } } }))
  await client.send(
    new QueryCommand({
      TableName,
      KeyConditionExpression: 'id = :id',
      ExpressionAttributeValues: { ':id': 'traced' }
    })
  )
  const answer = await client.send(new GetCommand({ TableName, Key }))
  t.strictSame(answer.Item, Key)
  t.strictSame(
    spans,
    ['PutItem', 'BatchGetItem', 'Query', 'GetItem'].map((operation) => `${operation} ${TableName}`)
  )
})
