import type { QueryCommand } from '@aws-sdk/lib-dynamodb'
import t from 'tap'
import type { EventPosition } from '../../../app/activity/event-cursor.ts'
import { type IndexRange, IndexStream, throwUnlessAborted } from '../../../app/journal/index-stream.ts'
import { JOURNAL, type JournalTable } from '../../../app/journal/journal-table.ts'

const { signal } = new AbortController()

const RANGE: IndexRange = {
  index: JOURNAL.unfinishedIndex,
  partition: 'dead#0',
  from: '2026-06-01T00:00:00.000Z',
  until: '2026-06-01T23:59:59.999Z',
  isNewestFirst: true
}

/** A table that has these items in this order, and notes the limits of the queries. */
function tableOf(items: EventPosition[]) {
  const limits: number[] = []
  const client = {
    send: async ({ input }: QueryCommand) => {
      const { Limit: limit = 0, ExclusiveStartKey } = input
      limits.push(limit)
      const start = Number(ExclusiveStartKey?.next ?? 0)
      const next = start + limit
      return {
        ...(items.length > 0 && { Items: items.slice(start, next) }),
        ...(next < items.length && { LastEvaluatedKey: { next } })
      }
    }
  }
  return { table: { client, tableName: 'journal' } as unknown as JournalTable, limits }
}

async function readAll(stream: IndexStream<EventPosition>) {
  const ids: string[] = []
  for (;;) {
    await stream.fill(signal)
    if (!stream.head) return ids
    ids.push(stream.head.id)
    stream.skip()
  }
}

const itemOf = (second: number, id: string) => ({
  receivedAt: `2026-06-01T12:00:${String(second).padStart(2, '0')}.000Z`,
  id
})

t.test('reads a partition with queries that get larger', async (t) => {
  const items = Array.from({ length: 20 }, (_, number) => itemOf(59 - number, `e${number}`))
  const { table, limits } = tableOf(items)
  t.strictSame(
    await readAll(new IndexStream(table, RANGE, 2)),
    items.map(({ id }) => id)
  )
  t.strictSame(limits, [2, 4, 8, 16])
})

t.test('orders the items of one millisecond, which DynamoDB does not', async (t) => {
  const items = [
    itemOf(9, 'x'),
    itemOf(5, 'b'),
    itemOf(5, 'a'),
    itemOf(5, 'd'),
    itemOf(5, 'c'),
    itemOf(1, 'y')
  ]
  const newest = await readAll(new IndexStream(tableOf(items).table, RANGE, 1))
  t.strictSame(newest, ['x', 'd', 'c', 'b', 'a', 'y'])
  const oldest = new IndexStream(tableOf(items.toReversed()).table, { ...RANGE, isNewestFirst: false }, 1)
  t.strictSame(await readAll(oldest), ['y', 'a', 'b', 'c', 'd', 'x'])
})

t.test('an empty partition has no head', async (t) => {
  t.strictSame(await readAll(new IndexStream(tableOf([]).table, RANGE, 1)), [])
})

t.test('rejects with the reason of the signal, or JOURNAL_UNAVAILABLE', async (t) => {
  const reason = new Error('left')
  const stream = new IndexStream(tableOf([]).table, RANGE, 1)
  await t.rejects(stream.fill(AbortSignal.abort(reason)), reason)
  const broken = { client: { send: async () => Promise.reject(new Error('down')) }, tableName: 'journal' }
  const failing = new IndexStream(broken as unknown as JournalTable, RANGE, 1)
  await t.rejects(failing.fill(signal), { code: 'JOURNAL_UNAVAILABLE' })
  t.throws(() => throwUnlessAborted(AbortSignal.abort(reason))(new Error('down')), reason)
})
