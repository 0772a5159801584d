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

/** A DynamoDB, and a client that adds the time to live, which dynalite does not support. */
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

/** A client that describes a table like this. */
const describing = (Table: TableDescription | undefined, timeToLive?: object) =>
  ({
    send: async (command: unknown) =>
      command instanceof DescribeTimeToLiveCommand ? { TimeToLiveDescription: timeToLive } : { Table }
  }) as TableOptions['client']

t.test('accepts a table that is set up correctly', async (t) => {
  const { client, tableName } = await build(t)
  t.strictSame(await table({ client, tableName }).run(signal), [
    { level: 'ok', message: `${tableName}: active, about 0 events` }
  ])
})

t.test('reports a table that does not exist', async (t) => {
  const { client } = await build(t)
  t.match(await table({ client, tableName: 'nowhere' }).run(signal), [
    { level: 'fault', message: /correct JOURNAL_TABLE \(now nowhere\)/ }
  ])
})

t.test('warns if time to live is disabled or cannot be checked', async (t) => {
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
    { level: 'warning', message: /not checked: access denied .*dynamodb:DescribeTimeToLive/ }
  ])
})

t.test('reports a wrong key and a missing feed index', async (t) => {
  const { client, create } = await build(t)
  await create('wrong-key', {
    KeySchema: [
      { AttributeName: 'id', KeyType: 'HASH' },
      { AttributeName: 'receivedAt', KeyType: 'RANGE' }
    ]
  })
  t.match(await table({ client, tableName: 'wrong-key' }).run(signal), [
    { level: 'fault', message: /^its key must be id only/ }
  ])
  await create('no-index', {
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    GlobalSecondaryIndexes: undefined
  })
  t.match(await table({ client, tableName: 'no-index' }).run(signal), [
    { level: 'fault', message: /^no index feed by feedShard and receivedAt/ },
    { level: 'warning', message: /^no index history by historyKey and receivedAt/ },
    { level: 'warning', message: /^no index unfinished by unfinishedShard and receivedAt/ }
  ])
})

t.test('warns of an index that lacks attributes', async (t) => {
  const { client, create } = await build(t)
  const [index, ...others] = journalTableInput('any').GlobalSecondaryIndexes!
  const projecting = (Projection: object) => ({
    GlobalSecondaryIndexes: [{ ...index!, Projection }, ...others]
  })
  await create('old', projecting({ ProjectionType: 'INCLUDE', NonKeyAttributes: ['type'] }))
  t.match(await table({ client, tableName: 'old' }).run(signal), [
    { level: 'warning', message: /^its index feed lacks notificationType, / }
  ])
  await create('everything', projecting({ ProjectionType: 'ALL' }))
  t.match(await table({ client, tableName: 'everything' }).run(signal), [{ level: 'ok' }])
})

t.test('reports a table and an index that are not active yet', async (t) => {
  const { KeySchema, GlobalSecondaryIndexes } = journalTableInput('any')
  const [index, ...others] = GlobalSecondaryIndexes!.map((given) => ({
    ...given,
    IndexStatus: 'ACTIVE' as const
  }))
  const found = (TableStatus: 'CREATING' | 'UPDATING', IndexStatus: 'CREATING' | 'UPDATING') =>
    table({
      client: describing(
        { TableStatus, KeySchema, GlobalSecondaryIndexes: [{ ...index, IndexStatus }, ...others] },
        { TimeToLiveStatus: 'ENABLING', AttributeName: 'expiresAt' }
      ),
      tableName: 'any'
    }).run(signal)
  t.match(await found('UPDATING', 'UPDATING'), [{ level: 'ok' }])
  t.match(await found('CREATING', 'CREATING'), [
    { level: 'fault', message: /^status is CREATING/ },
    { level: 'warning', message: /^its index feed is CREATING/ }
  ])
})

t.test('reports faults if the answer is empty', async (t) => {
  t.match(await table({ client: describing(undefined), tableName: 'any' }).run(signal), [
    { level: 'fault', message: /^status is undefined/ },
    { level: 'fault', message: /^its key/ },
    { level: 'fault', message: /^no index/ },
    { level: 'warning', message: /^no index/ },
    { level: 'warning', message: /^no index/ },
    { level: 'warning', message: /never deleted/ }
  ])
  const { KeySchema, GlobalSecondaryIndexes } = journalTableInput('any')
  const active = GlobalSecondaryIndexes!.map((index) => ({ ...index, IndexStatus: 'ACTIVE' as const }))
  const indexes = [{ ...active[0], Projection: undefined }, ...active.slice(1)]
  const bare = { TableStatus: 'ACTIVE' as const, KeySchema, GlobalSecondaryIndexes: indexes }
  t.match(await table({ client: describing(bare), tableName: 'any' }).run(signal), [
    { level: 'warning', message: /lacks/ },
    { level: 'warning' }
  ])
})
