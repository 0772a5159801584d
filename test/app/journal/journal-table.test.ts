import { createHash } from 'node:crypto'
import t from 'tap'
import {
  expiryOf,
  FEED_DIGITS,
  feedShard,
  JOURNAL,
  journalTableInput,
  journalUnavailable,
  throwUnavailable,
  unfinishedShard
} from '../../../app/journal/journal-table.ts'

t.test('the table has one item per event and is billed by request', async (t) => {
  const { TableName, KeySchema, BillingMode, AttributeDefinitions } = journalTableInput('my-journal')
  t.equal(TableName, 'my-journal')
  t.equal(BillingMode, 'PAY_PER_REQUEST')
  t.strictSame(KeySchema, [{ AttributeName: 'id', KeyType: 'HASH' }])
  t.strictSame(AttributeDefinitions, [
    { AttributeName: 'id', AttributeType: 'S' },
    { AttributeName: 'feedShard', AttributeType: 'S' },
    { AttributeName: 'receivedAt', AttributeType: 'S' },
    { AttributeName: 'historyKey', AttributeType: 'S' },
    { AttributeName: 'unfinishedShard', AttributeType: 'S' }
  ])
})

t.test('the feed is sorted by time and omits the payload', async (t) => {
  const [feed] = journalTableInput('my-journal').GlobalSecondaryIndexes ?? []
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

t.test('the indexes by asset and of unfinished events hold no attribute that changes', async (t) => {
  const [, history, unfinished, ...others] = journalTableInput('my-journal').GlobalSecondaryIndexes ?? []
  t.strictSame(others, [])
  t.match(history, {
    IndexName: 'history',
    KeySchema: [{ AttributeName: 'historyKey' }, { AttributeName: 'receivedAt' }],
    Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['counts', 'sample'] }
  })
  t.match(unfinished, {
    IndexName: 'unfinished',
    KeySchema: [{ AttributeName: 'unfinishedShard' }, { AttributeName: 'receivedAt' }],
    Projection: { ProjectionType: 'KEYS_ONLY' }
  })
})

t.test('spreads the unfinished events of a status over four partitions', async (t) => {
  const shards = new Set(FEED_DIGITS.map((digit) => unfinishedShard('dead', `${digit}0`)))
  t.strictSame([...shards].sort(), ['dead#0', 'dead#1', 'dead#2', 'dead#3'])
})

t.test('spreads the events of a day over 16 partitions', async (t) => {
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

t.test('maps any error of DynamoDB to JOURNAL_UNAVAILABLE', async (t) => {
  const cause = new Error('throttled')
  t.match(journalUnavailable(cause), { code: 'JOURNAL_UNAVAILABLE', cause })
})

t.test('an item expires some days after it is written, in Unix seconds', async (t) => {
  t.equal(expiryOf(Date.parse('2026-06-01T00:00:00.999Z'), 2), Date.parse('2026-06-03T00:00:00Z') / 1000)
})

t.test('throws JOURNAL_UNAVAILABLE with the cause', async (t) => {
  const cause = new Error('throttled')
  t.throws(() => throwUnavailable(cause), { code: 'JOURNAL_UNAVAILABLE', cause })
})
