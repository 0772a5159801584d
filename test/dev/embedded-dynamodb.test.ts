import { execFile } from 'node:child_process'
import { Agent } from 'node:http'
import { promisify } from 'node:util'
import {
  DescribeTableCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand
} from '@aws-sdk/client-dynamodb'
import { type Test, test } from 'tap'
import { journalTableInput } from '../../app/journal/journal-table.ts'
import { type DynamoDbOptions, type EmbeddedDynamoDb, startDynamoDb } from '../../dev/embedded-dynamodb.ts'

async function start(t: Test, options?: DynamoDbOptions) {
  const dynamoDb = await startDynamoDb(options)
  t.teardown(() => dynamoDb.stop())
  return dynamoDb
}

function connect(t: Test, { url, environment }: EmbeddedDynamoDb, options: DynamoDBClientConfig = {}) {
  const client = new DynamoDBClient({
    endpoint: url,
    region: environment.AWS_REGION as string,
    credentials: {
      accessKeyId: environment.AWS_ACCESS_KEY_ID as string,
      secretAccessKey: environment.AWS_SECRET_ACCESS_KEY as string
    },
    ...options
  })
  t.teardown(() => client.destroy())
  return client
}

const portOf = ({ url }: EmbeddedDynamoDb) => Number(new URL(url).port)

test('creates the table of the journal as in production', async (t) => {
  const dynamoDb = await start(t)
  const client = connect(t, dynamoDb)
  const { tableName } = dynamoDb
  t.equal(tableName, 'cloudinary-journal')
  const { Table } = await client.send(new DescribeTableCommand({ TableName: tableName }))
  const { KeySchema, AttributeDefinitions, GlobalSecondaryIndexes } = journalTableInput(tableName)
  t.match(Table, {
    TableStatus: 'ACTIVE',
    BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
    KeySchema,
    GlobalSecondaryIndexes: GlobalSecondaryIndexes?.map((index) => ({ ...index, IndexStatus: 'ACTIVE' }))
  })
  const byName = (definitions: typeof AttributeDefinitions = []) =>
    definitions.map(({ AttributeName }) => AttributeName).sort()
  t.strictSame(byName(Table?.AttributeDefinitions), byName(AttributeDefinitions))
  await client.send(new PutItemCommand({ TableName: tableName, Item: { id: { S: 'a' } } }))
})

test('another process needs only its environment', async (t) => {
  const dynamoDb = await start(t)
  const script = `
    import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
    const Item = { id: { S: 'from afar' } }
    await new DynamoDBClient().send(new PutItemCommand({ TableName: process.argv[1], Item }))`
  const { stderr } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', script, dynamoDb.tableName],
    { env: { ...process.env, AWS_PROFILE: 'somebody', ...dynamoDb.environment } }
  )
  t.equal(stderr, '')
  const get = new GetItemCommand({ TableName: dynamoDb.tableName, Key: { id: { S: 'from afar' } } })
  t.match(await connect(t, dynamoDb).send(get), { Item: { id: { S: 'from afar' } } })
})

test('is reachable by its advertised host, as from another container', async (t) => {
  const dynamoDb = await start(t, { host: '0.0.0.0', advertisedHost: 'standins' })
  t.match(dynamoDb.url, /^http:\/\/standins:\d+$/)
  t.equal(dynamoDb.environment.AWS_ENDPOINT_URL_DYNAMODB, dynamoDb.url)
  const httpAgent = new Agent({
    lookup: (hostname, _options, found) => {
      t.equal(hostname, 'standins')
      found(null, [{ address: '127.0.0.1', family: 4 }])
    }
  })
  const client = connect(t, dynamoDb, { requestHandler: { httpAgent } })
  t.strictSame((await client.send(new ListTablesCommand())).TableNames, [dynamoDb.tableName])
})

test('listens on the given port, starts empty, and reports a taken port', async (t) => {
  const first = await start(t)
  const port = portOf(first)
  const Item = { id: { S: 'forgotten' } }
  await connect(t, first).send(new PutItemCommand({ TableName: first.tableName, Item }))
  await t.rejects(startDynamoDb({ port }), { code: 'EADDRINUSE' })
  await first.stop()
  const second = await start(t, { port })
  t.equal(second.url, `http://127.0.0.1:${port}`)
  const get = new GetItemCommand({ TableName: second.tableName, Key: Item })
  t.equal((await connect(t, second).send(get)).Item, undefined)
})

test('a stop closes open connections', async (t) => {
  const dynamoDb = await startDynamoDb()
  const client = connect(t, dynamoDb, { maxAttempts: 1 })
  await client.send(new ListTablesCommand())
  await dynamoDb.stop()
  await t.rejects(client.send(new ListTablesCommand()))
})

test('a stop waits for operations whose clients have left', async (t) => {
  for (let run = 0; run < 5; run++) {
    const dynamoDb = await startDynamoDb()
    const client = connect(t, dynamoDb, { maxAttempts: 1 })
    let received = 0
    const arrived = new Promise<void>((resolve) => {
      dynamoDb.server.on('request', (request) => request.once('end', () => ++received === 20 && resolve()))
    })
    const writes = Array.from({ length: 20 }, (_, number) => {
      const Item = { id: { S: `item-${number}` }, text: { S: 'x'.repeat(10_000) } }
      return client.send(new PutItemCommand({ TableName: dynamoDb.tableName, Item })).catch(() => {})
    })
    await arrived
    client.destroy()
    await dynamoDb.stop()
    await Promise.all(writes)
  }
  t.pass('no error was thrown where nobody catches it')
})
