import {
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  type KeySchemaElement,
  type TableDescription
} from '@aws-sdk/client-dynamodb'
import { JOURNAL, JOURNAL_INDEXES } from '../../journal/journal-table.ts'
import type { Finding } from '../../processor.ts'
import { explain } from '../explain-error.ts'
import { count } from '../report-line.ts'
import { type Check, fault, ok, warn } from './check.ts'

export interface TableOptions {
  client: Pick<DynamoDBClient, 'send'>
  tableName: string
}

/** Checks that the journal's table exists, with the key, indexes and time to live that the journal needs. */
export const table = ({ client, tableName: TableName }: TableOptions): Check => ({
  subject: 'table',
  async run(abortSignal) {
    const [description, timeToLive] = await Promise.all([
      client
        .send(new DescribeTableCommand({ TableName }), { abortSignal })
        .then(({ Table = {} }) => Table)
        .catch((error) => fault(explain(error, hintsFor(TableName, 'dynamodb:DescribeTable')))),
      client
        .send(new DescribeTimeToLiveCommand({ TableName }), { abortSignal })
        .then(({ TimeToLiveDescription = {} }) => TimeToLiveDescription)
        .catch((error) => explain(error, hintsFor(TableName, 'dynamodb:DescribeTimeToLive')))
    ])
    if ('level' in description) return [description]
    const found = [...state(description), ...key(description), ...indexes(description)]
    if (typeof timeToLive === 'string') {
      found.push(warn(`time to live not checked: ${timeToLive}`))
    } else if (
      timeToLive.AttributeName !== JOURNAL.timeToLive ||
      !timeToLive.TimeToLiveStatus?.startsWith('ENABL')
    ) {
      found.push(
        warn(`old events are never deleted; enable time to live on the attribute ${JOURNAL.timeToLive}`)
      )
    }
    if (found.length > 0) return found
    return [ok(`${TableName}: active, about ${count(Number(description.ItemCount ?? 0), 'event')}`)]
  }
})

const hintsFor = (tableName: string, permission: string) => ({
  missing: `correct JOURNAL_TABLE (now ${tableName}) or AWS_REGION, or deploy the table`,
  permission
})

function* state({ TableStatus }: TableDescription): Iterable<Finding> {
  // a table that is being updated can be used
  if (TableStatus !== 'ACTIVE' && TableStatus !== 'UPDATING') {
    yield fault(`status is ${TableStatus}; wait until it is ACTIVE, or deploy it again`)
  }
}

function* key({ KeySchema }: TableDescription): Iterable<Finding> {
  if (!isKey(KeySchema, JOURNAL.partitionKey)) {
    yield fault(
      `its key must be ${JOURNAL.partitionKey} only; deploy the table as in app/journal/journal-table.ts`
    )
  }
}

function* indexes({ GlobalSecondaryIndexes = [] }: TableDescription): Iterable<Finding> {
  for (const { name, partitionKey, sortKey, attributes } of JOURNAL_INDEXES) {
    const index = GlobalSecondaryIndexes.find(({ IndexName }) => IndexName === name)
    if (!index || !isKey(index.KeySchema, partitionKey, sortKey)) {
      // commands need the feed too
      const report = name === JOURNAL.feedIndex.name ? fault : warn
      yield report(
        `no index ${name} by ${partitionKey} and ${sortKey}, which \`reconcile\` or the activity page needs; deploy the table ` +
          'as in app/journal/journal-table.ts'
      )
      continue
    }
    if (index.IndexStatus !== 'ACTIVE' && index.IndexStatus !== 'UPDATING') {
      yield warn(
        `its index ${name} is ${index.IndexStatus}: the activity page is incomplete until it is ACTIVE`
      )
    }
    const { ProjectionType, NonKeyAttributes = [] } = index.Projection ?? {}
    const missing = attributes.filter((attribute) => !NonKeyAttributes.includes(attribute))
    if (ProjectionType !== 'ALL' && missing.length > 0) {
      yield warn(
        `its index ${name} lacks ${missing.join(', ')}, which \`reconcile\` or the activity page needs; recreate it as in ` +
          'app/journal/journal-table.ts'
      )
    }
  }
}

function isKey(schema: KeySchemaElement[] = [], partitionKey: string, sortKey?: string): boolean {
  const named = (type: string) => schema.find(({ KeyType }) => KeyType === type)?.AttributeName
  return named('HASH') === partitionKey && named('RANGE') === sortKey
}
