import type { BatchGetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb'
import t from 'tap'
import type { ActivityFilter, PageQuery } from '../../../app/activity/activity-store.ts'
import { wholeIndex } from '../../../app/journal/activity-blocks.ts'
import type { StoredEvent } from '../../../app/journal/activity-items.ts'
import { type SearchOptions, searchEvents } from '../../../app/journal/event-search.ts'
import { JOURNAL, type JournalTable } from '../../../app/journal/journal-table.ts'

const timeOf = (number: number) => new Date(Date.parse('2026-06-01T12:00:00Z') - number * 1000).toISOString()

const itemOf = (number: number, change: Partial<StoredEvent> = {}): StoredEvent => ({
  id: `e${String(number).padStart(3, '0')}`,
  type: 'upload',
  environment: 'demo',
  origin: { source: null, id: null, own: false },
  occurredAt: timeOf(number),
  receivedAt: timeOf(number),
  status: 'done',
  attempts: 1,
  source: number % 10 === 0 ? 'poll' : 'web',
  ...change
})

/** An index of one partition. */
function build(items: StoredEvent[], options: Partial<SearchOptions> = {}) {
  let now = 0
  const client = {
    send: async ({ input }: QueryCommand | BatchGetCommand) => {
      now += 10
      if ('RequestItems' in input) {
        const ids = input.RequestItems!.journal!.Keys!.map(({ id }) => id)
        return { Responses: { journal: items.filter(({ id }) => ids.includes(id) && id !== 'expired') } }
      }
      const { ':from': from, ':until': until } = (input as QueryCommand['input']).ExpressionAttributeValues!
      const found = items.filter(({ receivedAt }) => receivedAt >= from && receivedAt <= until)
      const { ScanIndexForward, Limit = 0, ExclusiveStartKey } = input as QueryCommand['input']
      const sorted = ScanIndexForward ? found.toReversed() : found
      const start = Number(ExclusiveStartKey?.next ?? 0)
      const next = start + Limit
      return { Items: sorted.slice(start, next), ...(next < found.length && { LastEvaluatedKey: { next } }) }
    }
  }
  return (filter: ActivityFilter, query: Partial<PageQuery> = {}) =>
    searchEvents(
      { filter, limit: 10, signal: new AbortController().signal, ...query },
      {
        table: { client, tableName: 'journal' } as unknown as JournalTable,
        budget: { events: 2000, milliseconds: 60_000 },
        clock: () => now,
        isDescribed: true,
        blocks: (range) => wholeIndex(JOURNAL.feedIndex, ['a'], range),
        ...options
      }
    )
}

const numbersOf = ({ events }: { events: readonly { id: string }[] }) =>
  events.map(({ id }) => Number(id.slice(1)))

const range = (from: number, until: number) =>
  Array.from({ length: until - from }, (_, index) => from + index)

const ITEMS = range(0, 25).map((number) => itemOf(number))

t.test('pages in both directions', async (t) => {
  const search = build(ITEMS)
  const first = await search({})
  t.strictSame(numbersOf(first), range(0, 10))
  t.equal(first.newer, undefined)
  const second = await search({}, { cursor: first.older! })
  t.strictSame(numbersOf(second), range(10, 20))
  const third = await search({}, { cursor: second.older! })
  t.strictSame(numbersOf(third), range(20, 25))
  t.equal(third.older, undefined)
  const back = await search({}, { cursor: third.newer!, direction: 'newer' })
  t.strictSame(numbersOf(back), range(10, 20))
  t.equal(back.older, second.older)
  const top = await search({}, { cursor: back.newer!, direction: 'newer' })
  t.strictSame(numbersOf(top), range(0, 10))
  t.equal(top.newer, undefined)
  t.notOk([first, second, third, back, top].some(({ searchedTo }) => searchedTo))
})

t.test('pages are not disturbed by events that arrive', async (t) => {
  const items = [...ITEMS]
  const search = build(items)
  const { older } = await search({})
  items.unshift(itemOf(-1, { id: 'e900' }))
  t.strictSame(numbersOf(await search({}, { cursor: older! })), range(10, 20))
  const newer = await search(
    {},
    { cursor: (await search({}, { cursor: older! })).newer!, direction: 'newer' }
  )
  t.strictSame(numbersOf(newer), range(0, 10))
  t.strictSame(numbersOf(await search({}, { cursor: newer.newer!, direction: 'newer' })), [900])
})

t.test('an empty index, and an event that has expired', async (t) => {
  t.strictSame(await build([])({}), { events: [] })
  t.strictSame(await build([], { blocks: () => [] })({}), { events: [] })
  const search = build([itemOf(0, { id: 'expired' }), itemOf(1)])
  t.strictSame(numbersOf(await search({})), [1])
})

t.test('a filter that needs the payload reads the events in chunks', async (t) => {
  const items = range(0, 250).map((number) => itemOf(number))
  const search = build(items)
  const first = await search({ source: 'poll' })
  t.strictSame(numbersOf(first), [0, 10, 20, 30, 40, 50, 60, 70, 80, 90])
  const second = await search({ source: 'poll' }, { cursor: first.older!, limit: 20 })
  t.strictSame(numbersOf(second), [100, 110, 120, 130, 140, 150, 160, 170, 180, 190, 200, 210, 220, 230, 240])
  t.equal(second.older, undefined)
  const exact = await search({ source: 'poll' }, { limit: 25 })
  t.equal(exact.events.length, 25)
  t.ok(exact.older, 'more was passed over')
  t.strictSame(await search({ environment: 'other' }), { events: [] })
})

t.test('an index of keys decides by the events themselves', async (t) => {
  const items = ITEMS.map(
    (item, number) => ({ ...item, status: number % 5 === 0 ? 'dead' : 'done' }) as StoredEvent
  )
  const search = build(items, { isDescribed: false })
  t.strictSame(numbersOf(await search({ status: ['dead'] })), [0, 5, 10, 15, 20])
  t.strictSame(numbersOf(await search({})), range(0, 10))
})

t.test('stops when the budget is used up, and says how far it searched', async (t) => {
  const items = range(0, 250).map((number) => itemOf(number))
  const few = build(items, { budget: { events: 30, milliseconds: 60_000 } })
  const first = await few({ source: 'poll' })
  t.strictSame(numbersOf(first), [0, 10, 20])
  t.equal(first.searchedTo, timeOf(29))
  t.strictSame(numbersOf(await few({ source: 'poll' }, { cursor: first.older! })), [30, 40, 50])
  const late = build(items, { budget: { events: 2000, milliseconds: 15 } })
  const page = await late({ source: 'poll' }, { limit: 50 })
  t.equal(page.searchedTo, timeOf(numbersOf(page).at(-1)! + 9))
  t.strictSame(numbersOf(await late({})), range(0, 10), 'a page that passes over nothing is not cut')
})
