import { createHash } from 'node:crypto'
import t from 'tap'
import {
  feedShard,
  JOURNAL,
  journalTableInput,
  journalUnavailable
} from '../../../app/journal/journal-table.ts'

t.test('the table has one item for each event, and costs nothing while nothing happens', async (t) => {
  const { TableName, KeySchema, BillingMode, AttributeDefinitions } = journalTableInput('my-journal')
  t.equal(TableName, 'my-journal')
  t.equal(BillingMode, 'PAY_PER_REQUEST')
  t.strictSame(KeySchema, [{ AttributeName: 'id', KeyType: 'HASH' }])
  t.strictSame(AttributeDefinitions, [
    { AttributeName: 'id', AttributeType: 'S' },
    { AttributeName: 'feedShard', AttributeType: 'S' },
    { AttributeName: 'receivedAt', AttributeType: 'S' }
  ])
})

t.test('the feed is in order of time, and leaves the payload out', async (t) => {
  const [feed, ...others] = journalTableInput('my-journal').GlobalSecondaryIndexes ?? []
  t.strictSame(others, [])
  t.match(feed, {
    IndexName: 'feed',
    KeySchema: [
      { AttributeName: 'feedShard', KeyType: 'HASH' },
      { AttributeName: 'receivedAt', KeyType: 'RANGE' }
    ],
    Projection: { ProjectionType: 'INCLUDE' }
  })
  const attributes = feed?.Projection?.NonKeyAttributes ?? []
  t.strictSame(attributes, [...JOURNAL.feedIndex.attributes])
  t.notOk(attributes.includes('payload'))
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
  t.ok(attributes.length <= 100, 'DynamoDB projects 100 attributes at most')
})

t.test('the events of a day are spread over 16 partitions of the feed', async (t) => {
  const shards = new Set<string>()
  for (let event = 0; event < 1000; event++) {
    const id = createHash('sha256').update(String(event)).digest('hex').slice(0, 32)
    shards.add(feedShard(id, '2026-06-01T23:59:59.999Z'))
  }
  t.strictSame(
    [...shards].sort(),
    [...'0123456789abcdef'].map((digit) => `2026-06-01#${digit}`)
  )
})

t.test('a table that does not answer is one fault, whatever the reason', async (t) => {
  const cause = new Error('throttled')
  t.match(journalUnavailable(cause), { code: 'JOURNAL_UNAVAILABLE', cause })
})
