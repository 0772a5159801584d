import t from 'tap'
import type { Repair } from '../../../app/activity/repair.ts'
import { createActivityStore } from '../../../app/journal/activity-reader.ts'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import { RepairItems } from '../../../app/journal/repair-items.ts'
import { startDynamoDb } from '../../../dev/embedded-dynamodb.ts'
import { repairOf } from '../../support/activity-events.ts'

const dynamoDb = await startDynamoDb()
Object.assign(process.env, dynamoDb.environment)
const client = createDynamoDbClient()
const table = { client, tableName: dynamoDb.tableName }
t.teardown(async () => {
  client.destroy()
  await dynamoDb.stop()
})

const { signal } = new AbortController()
const failures = [{ id: 'a', code: 'B', message: 'c' }]
const replay = repairOf({ id: 'a1', failures }) as Repair

t.test('keeps the progress, and passes a request to abort on', async (t) => {
  const items = new RepairItems(table)
  t.equal(await items.find('a1'), undefined)
  t.equal(await items.requestAbort('a1', 'bob'), false)
  t.equal(await items.find('a1'), undefined, 'a request for an unknown repair creates no item')
  t.strictSame(await items.save(replay), {})
  t.strictSame(await items.find('a1'), replay)
  t.equal(await items.requestAbort('a1', 'bob'), true)
  t.strictSame(await items.save({ ...replay, sent: 9 }), { abortedBy: 'bob' })
  t.strictSame(await items.find('a1'), { ...replay, sent: 9, abortedBy: 'bob' })
})

t.test('lists the newest repairs, and no list of events has them', async (t) => {
  const items = new RepairItems(table)
  for (let day = 1; day <= 25; day++) {
    const at = `2026-05-${String(day).padStart(2, '0')}T12:00:00.000Z`
    await items.save({ ...replay, id: `b${day}`, at })
  }
  const recent = await items.recent(signal)
  t.equal(recent.length, 20)
  t.equal(recent[1]?.id, 'b25')
  t.equal(await createActivityStore(table).find('repair#a1'), undefined)
  const store = createActivityStore({ ...table, clock: () => Date.parse('2026-05-26') })
  t.strictSame((await store.list({ filter: {}, limit: 10, signal })).events, [])
})

t.test('reports a journal that does not answer', async (t) => {
  const down = { send: async () => Promise.reject(new Error('down')) } as never
  const items = new RepairItems({ ...table, client: down })
  await t.rejects(items.save(replay), { code: 'JOURNAL_UNAVAILABLE' })
  await t.rejects(items.find('a1'), { code: 'JOURNAL_UNAVAILABLE' })
  await t.rejects(items.requestAbort('a1', 'bob'), { code: 'JOURNAL_UNAVAILABLE' })
  await t.rejects(items.recent(signal), { code: 'JOURNAL_UNAVAILABLE' })
})
