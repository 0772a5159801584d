import type { BatchGetCommand } from '@aws-sdk/lib-dynamodb'
import t from 'tap'
import type { JournalTable } from '../../../app/journal/journal-table.ts'
import { readItems } from '../../../app/journal/read-items.ts'

const { signal } = new AbortController()

/** A table that answers `perCall` keys at a time. */
function tableOf(perCall: number) {
  const calls: number[] = []
  const client = {
    send: async ({ input }: BatchGetCommand) => {
      const { Keys = [] } = input.RequestItems!.journal!
      calls.push(Keys.length)
      const rest = Keys.slice(perCall)
      return {
        ...(perCall > 0 && {
          Responses: {
            journal: Keys.slice(0, perCall).map(({ id }) => ({
              id,
              ...(id !== 'state' && { status: 'done' })
            }))
          }
        }),
        ...(rest.length > 0 && { UnprocessedKeys: { journal: { Keys: rest } } })
      }
    }
  }
  return { table: { client, tableName: 'journal' } as unknown as JournalTable, calls }
}

const ids = (count: number) => Array.from({ length: count }, (_, number) => String(number))

t.test('reads any number of events, and nothing that is not one', async (t) => {
  const { table, calls } = tableOf(100)
  const items = await readItems(table, [...ids(150), 'state'], signal)
  t.equal(items.size, 150)
  t.match(items.get('7'), { id: '7', status: 'done' })
  t.strictSame(calls, [100, 51])
  t.equal((await readItems(table, [], signal)).size, 0)
})

t.test('reads again what DynamoDB left out, a limited number of times', async (t) => {
  const some = tableOf(40)
  t.equal((await readItems(some.table, ids(100), signal)).size, 100)
  t.strictSame(some.calls, [100, 60, 20])
  await t.rejects(readItems(tableOf(0).table, ids(1), signal), { code: 'JOURNAL_UNAVAILABLE' })
})

t.test('rejects when DynamoDB does not answer', async (t) => {
  const client = { send: async () => Promise.reject(new Error('down')) }
  const table = { client, tableName: 'journal' } as unknown as JournalTable
  await t.rejects(readItems(table, ids(1), signal), { code: 'JOURNAL_UNAVAILABLE' })
})
