import type { QueryCommand } from '@aws-sdk/lib-dynamodb'
import t from 'tap'
import type { EventPosition } from '../../../app/activity/event-cursor.ts'
import { type IndexBlock, IndexMerge, type IndexMergeOptions } from '../../../app/journal/index-merge.ts'
import { JOURNAL, type JournalTable } from '../../../app/journal/journal-table.ts'

const timeOf = (second: number) => `2026-06-01T12:00:${String(second).padStart(2, '0')}.000Z`

/** Items by partition, as seconds. */
function build(partitions: Record<string, number[]>, options: Partial<IndexMergeOptions> = {}) {
  const { isNewestFirst = true } = options
  const client = {
    send: async ({ input }: QueryCommand) => {
      const partition = String(input.ExpressionAttributeValues?.[':partition'])
      const start = Number(input.ExclusiveStartKey?.next ?? 0)
      const next = start + input.Limit!
      const seconds = partitions[partition]!.toSorted((a, b) => (isNewestFirst ? b - a : a - b))
      return {
        Items: seconds.slice(start, next).map((second) => ({ id: partition, receivedAt: timeOf(second) })),
        ...(next < seconds.length && { LastEvaluatedKey: { next } })
      }
    }
  }
  const block = (names: string[], end: number): IndexBlock => ({
    ranges: names.map((partition) => ({
      index: JOURNAL.feedIndex,
      partition,
      from: timeOf(0),
      until: timeOf(59),
      isNewestFirst
    })),
    end: { receivedAt: timeOf(end), id: '~' }
  })
  return { table: { client, tableName: 'journal' } as unknown as JournalTable, block, isNewestFirst }
}

const { signal } = new AbortController()
const rest = { firstItems: 1, signal, isOver: () => false, mayStopInBlock: false }

async function secondsOf(merge: IndexMerge<EventPosition>) {
  const seconds: number[] = []
  for (let item = await merge.next(); item; item = await merge.next()) {
    seconds.push(Number(item.receivedAt.slice(17, 19)))
  }
  return seconds
}

t.test('merges the partitions of a block, and reads one block after another', async (t) => {
  const { table, block, isNewestFirst } = build({
    a: [50, 40, 35],
    b: [45, 44, 43],
    c: [],
    d: [20, 10],
    e: [15]
  })
  const blocks = [block(['a', 'b', 'c'], 30), block(['d', 'e'], 5)]
  const merge = new IndexMerge({ ...rest, table, blocks, isNewestFirst })
  t.equal(merge.reached, undefined)
  t.strictSame(await secondsOf(merge), [50, 45, 44, 43, 40, 35, 20, 15, 10])
  t.strictSame(merge.reached, { receivedAt: timeOf(5), id: '~' })
  t.notOk(merge.isStopped)
})

t.test('reads oldest first too', async (t) => {
  const { table, block } = build({ a: [1, 5], b: [3] }, { isNewestFirst: false })
  const merge = new IndexMerge({ ...rest, table, blocks: [block(['a', 'b'], 9)], isNewestFirst: false })
  t.strictSame(await secondsOf(merge), [1, 3, 5])
})

t.test('stops before the next block', async (t) => {
  const { table, block, isNewestFirst } = build({ a: [50, 40], b: [20] })
  const blocks = [block(['a'], 30), block(['b'], 5)]
  const merge = new IndexMerge({ ...rest, table, blocks, isNewestFirst, isOver: () => true })
  t.strictSame(await secondsOf(merge), [50, 40])
  t.ok(merge.isStopped)
  t.strictSame(merge.reached, { receivedAt: timeOf(30), id: '~' })
})

t.test('may stop within a block, after its first queries', async (t) => {
  const { table, block, isNewestFirst } = build({ a: [50, 40, 30, 20] })
  const options = { table, blocks: [block(['a'], 10)], isNewestFirst, firstItems: 2 }
  const merge = new IndexMerge({ ...rest, ...options, isOver: () => true, mayStopInBlock: true })
  t.strictSame(await secondsOf(merge), [50])
  t.ok(merge.isStopped)
  t.match(merge.reached, { receivedAt: timeOf(50) })
})
