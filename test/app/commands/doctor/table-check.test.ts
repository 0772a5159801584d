import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  type TableDescription,
  waitUntilTableExists
} from '@aws-sdk/client-dynamodb'
import t, { type Test } from 'tap'
import { type TableOptions, table } from '../../../../app/commands/doctor/table-check.ts'
import { journalTableInput } from '../../../../app/journal/journal-table.ts'
import { startDynamoDb } from '../../../../dev/embedded-dynamodb.ts'

const signal = new AbortController().signal

/** A DynamoDB, and a client of it whose tables have the time to live that dynalite does not know. */
async function build(t: Test) {
  const dynamoDb = await startDynamoDb()
  const inner = new DynamoDBClient({
    endpoint: dynamoDb.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    maxAttempts: 1
  })
  t.teardown(async () => {
    inner.destroy()
    await dynamoDb.stop()
  })
  const client = {
    send: async (command: unknown, options: object) =>
      command instanceof DescribeTimeToLiveCommand
        ? { TimeToLiveDescription: { TimeToLiveStatus: 'ENABLED', AttributeName: 'expiresAt' } }
        : inner.send(command as never, options)
  } as TableOptions['client']
  return {
    inner,
    client,
    tableName: dynamoDb.tableName,
    create: async (tableName: string, change: Partial<CreateTableCommandInput>) => {
      await inner.send(new CreateTableCommand({ ...journalTableInput(tableName), ...change }))
      await waitUntilTableExists(
        { client: inner, maxWaitTime: 10, minDelay: 0.01, maxDelay: 0.05 },
        { TableName: tableName }
      )
    }
  }
}

/** A client of a table that is so. */
const describing = (Table: TableDescription | undefined, timeToLive?: object) =>
  ({
    send: async (command: unknown) =>
      command instanceof DescribeTimeToLiveCommand ? { TimeToLiveDescription: timeToLive } : { Table }
  }) as TableOptions['client']

t.test('the table as it is to be', async (t) => {
  const { client, tableName } = await build(t)
  t.strictSame(await table({ client, tableName }).run(signal), [
    { level: 'ok', message: `${tableName}: active, about 0 events` }
  ])
})

t.test('a table that is not there', async (t) => {
  const { client } = await build(t)
  t.match(await table({ client, tableName: 'nowhere' }).run(signal), [
    { level: 'fault', message: /correct JOURNAL_TABLE \(now nowhere\)/ }
  ])
})

t.test('a table without time to live, or where that is not known', async (t) => {
  const { inner, client, tableName } = await build(t)
  t.match(await table({ client: inner, tableName }).run(signal), [
    { level: 'warning', message: /never deleted.*expiresAt/ }
  ])
  const forbidden = {
    send: async (command: unknown, options: object) => {
      if (!(command instanceof DescribeTimeToLiveCommand)) return client.send(command as never, options)
      throw Object.assign(new Error(), { name: 'AccessDeniedException' })
    }
  } as TableOptions['client']
  t.match(await table({ client: forbidden, tableName }).run(signal), [
    { level: 'warning', message: /not known: access denied .*dynamodb:DescribeTimeToLive/ }
  ])
})

t.test('another key, or no feed index', async (t) => {
  const { client, create } = await build(t)
  await create('wrong-key', {
    KeySchema: [
      { AttributeName: 'id', KeyType: 'HASH' },
      { AttributeName: 'receivedAt', KeyType: 'RANGE' }
    ]
  })
  t.match(await table({ client, tableName: 'wrong-key' }).run(signal), [
    { level: 'fault', message: /^its key must be id alone/ }
  ])
  await create('no-index', {
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    GlobalSecondaryIndexes: undefined
  })
  t.match(await table({ client, tableName: 'no-index' }).run(signal), [
    { level: 'fault', message: /^it needs an index feed by feedShard and receivedAt/ }
  ])
})

t.test('an index that leaves out what the activity page shows', async (t) => {
  const { client, create } = await build(t)
  const [index] = journalTableInput('any').GlobalSecondaryIndexes!
  const projecting = (Projection: object) => ({ GlobalSecondaryIndexes: [{ ...index!, Projection }] })
  await create('old', projecting({ ProjectionType: 'INCLUDE', NonKeyAttributes: ['type'] }))
  t.match(await table({ client, tableName: 'old' }).run(signal), [
    { level: 'warning', message: /^its index feed leaves out notificationType, / }
  ])
  await create('everything', projecting({ ProjectionType: 'ALL' }))
  t.match(await table({ client, tableName: 'everything' }).run(signal), [{ level: 'ok' }])
})

t.test('a table or an index that is not ready yet', async (t) => {
  const { KeySchema, GlobalSecondaryIndexes } = journalTableInput('any')
  const [index] = GlobalSecondaryIndexes!
  const found = (TableStatus: 'CREATING' | 'UPDATING', IndexStatus: 'CREATING' | 'UPDATING') =>
    table({
      client: describing(
        { TableStatus, KeySchema, GlobalSecondaryIndexes: [{ ...index, IndexStatus }] },
        { TimeToLiveStatus: 'ENABLING', AttributeName: 'expiresAt' }
      ),
      tableName: 'any'
    }).run(signal)
  t.match(await found('UPDATING', 'UPDATING'), [{ level: 'ok' }])
  t.match(await found('CREATING', 'CREATING'), [
    { level: 'fault', message: /^it is CREATING/ },
    { level: 'warning', message: /^its index feed is CREATING/ }
  ])
})

t.test('an answer that says nothing is not taken for a good one', async (t) => {
  t.match(await table({ client: describing(undefined), tableName: 'any' }).run(signal), [
    { level: 'fault', message: /^it is undefined/ },
    { level: 'fault', message: /^its key/ },
    { level: 'fault', message: /^it needs an index/ },
    { level: 'warning', message: /never deleted/ }
  ])
  const { KeySchema, GlobalSecondaryIndexes } = journalTableInput('any')
  const indexes = [{ ...GlobalSecondaryIndexes![0], IndexStatus: 'ACTIVE' as const, Projection: undefined }]
  const bare = { TableStatus: 'ACTIVE' as const, KeySchema, GlobalSecondaryIndexes: indexes }
  t.match(await table({ client: describing(bare), tableName: 'any' }).run(signal), [
    { level: 'warning', message: /leaves out/ },
    { level: 'warning' }
  ])
})
