import {
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  type KeySchemaElement,
  type TableDescription
} from '@aws-sdk/client-dynamodb'
import { JOURNAL } from '../../journal/journal-table.ts'
import type { Finding } from '../../processor.ts'
import { explain } from '../explain-error.ts'
import { count } from '../report-line.ts'
import { type Check, fault, ok, warn } from './doctor.ts'

export interface TableOptions {
  client: Pick<DynamoDBClient, 'send'>
  tableName: string
}

/** The journal's table is there, and is as the journal uses it. */
export const table = ({ client, tableName: TableName }: TableOptions): Check => ({
  subject: 'table',
  async run(abortSignal) {
    const [description, timeToLive] = await Promise.all([
      client
        .send(new DescribeTableCommand({ TableName }), { abortSignal })
        .then(({ Table = {} }) => Table)
        .catch((error) => fault(explain(error, meanings(TableName, 'dynamodb:DescribeTable')))),
      client
        .send(new DescribeTimeToLiveCommand({ TableName }), { abortSignal })
        .then(({ TimeToLiveDescription = {} }) => TimeToLiveDescription)
        .catch((error) => explain(error, meanings(TableName, 'dynamodb:DescribeTimeToLive')))
    ])
    if ('level' in description) return [description]
    const found = [...state(description), ...key(description), ...feed(description)]
    if (typeof timeToLive === 'string') {
      found.push(warn(`whether old events are deleted is not known: ${timeToLive}`))
    } else if (
      timeToLive.AttributeName !== JOURNAL.timeToLive ||
      !timeToLive.TimeToLiveStatus?.startsWith('ENABL')
    ) {
      found.push(
        warn(`old events are never deleted; turn on time to live, on the attribute ${JOURNAL.timeToLive}`)
      )
    }
    if (found.length > 0) return found
    return [ok(`${TableName}: active, about ${count(Number(description.ItemCount ?? 0), 'event')}`)]
  }
})

const meanings = (tableName: string, permission: string) => ({
  missing: `correct JOURNAL_TABLE (now ${tableName}) or AWS_REGION, or deploy the table`,
  permission
})

function* state({ TableStatus }: TableDescription): Iterable<Finding> {
  // a table that is being updated can be used
  if (TableStatus !== 'ACTIVE' && TableStatus !== 'UPDATING') {
    yield fault(`it is ${TableStatus}, not ACTIVE; wait until it is, or deploy it again`)
  }
}

function* key({ KeySchema }: TableDescription): Iterable<Finding> {
  if (!isKey(KeySchema, JOURNAL.partitionKey)) {
    yield fault(
      `its key must be ${JOURNAL.partitionKey} alone; deploy the table as app/journal/journal-table.ts has it`
    )
  }
}

function* feed({ GlobalSecondaryIndexes = [] }: TableDescription): Iterable<Finding> {
  const { name, partitionKey, sortKey, attributes } = JOURNAL.feedIndex
  const index = GlobalSecondaryIndexes.find(({ IndexName }) => IndexName === name)
  if (!index || !isKey(index.KeySchema, partitionKey, sortKey)) {
    yield fault(
      `it needs an index ${name} by ${partitionKey} and ${sortKey}, for the activity page; deploy the table as app/journal/journal-table.ts has it`
    )
    return
  }
  if (index.IndexStatus !== 'ACTIVE' && index.IndexStatus !== 'UPDATING') {
    yield warn(
      `its index ${name} is ${index.IndexStatus}: the activity page is not complete until it is ACTIVE`
    )
  }
  const { ProjectionType, NonKeyAttributes = [] } = index.Projection ?? {}
  const missing = attributes.filter((attribute) => !NonKeyAttributes.includes(attribute))
  if (ProjectionType !== 'ALL' && missing.length > 0) {
    yield warn(
      `its index ${name} leaves out ${missing.join(', ')}, which the activity page shows; create it anew as app/journal/journal-table.ts has it`
    )
  }
}

function isKey(schema: KeySchemaElement[] = [], partitionKey: string, sortKey?: string): boolean {
  const named = (type: string) => schema.find(({ KeyType }) => KeyType === type)?.AttributeName
  return named('HASH') === partitionKey && named('RANGE') === sortKey
}
