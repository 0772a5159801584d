import { PutCommand } from '@aws-sdk/lib-dynamodb'
import t from 'tap'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import { Journal } from '../../../app/journal/journal.ts'
import { startedThrough } from '../../../app/journal/started-events.ts'
import { startDynamoDb } from '../../../dev/dynamodb.ts'
import { beginAttempt, PATIENT } from '../../support/journal.ts'
import { eventOf } from '../../support/operator.ts'

const dynamoDb = await startDynamoDb()
Object.assign(process.env, dynamoDb.environment)
const table = { client: createDynamoDbClient(), tableName: dynamoDb.tableName }
t.teardown(async () => {
  table.client.destroy()
  await dynamoDb.stop()
})

let events = 0

/** The result for a day whose events were received and started at these times. */
async function through(day: string, starts: [receivedAt: string, startedAt: string][], ignore = false) {
  const time = (text: string) => Date.parse(`2026-06-${day}T${text}:00.000Z`)
  for (const [receivedAt, startedAt] of starts) {
    const journal = new Journal({ ...table, clock: () => time(startedAt) })
    const event = eventOf(`${events++ % 16}-${events}`, {
      receivedAt: new Date(time(receivedAt)).toISOString()
    })
    if (ignore) await journal.ignore(event, 'not wanted', PATIENT)
    else await beginAttempt(journal, event)
  }
  const found = await startedThrough(table, { from: time('00:00'), until: time('23:59') })
  return found === undefined ? undefined : new Date(found).toISOString().slice(11, 16)
}

t.test('is half an hour ago on a busy system', async (t) => {
  const minutes = Array.from({ length: 50 }, (_, index) => `11:${String(index + 10)}`)
  t.equal(
    await through(
      '01',
      minutes.map((minute) => [minute, minute])
    ),
    '11:28'
  )
})

t.test('counts ignored events as started', async (t) => {
  const pairs: [string, string][] = [
    ['10:00', '10:00'],
    ['12:00', '12:00']
  ]
  t.equal(await through('02', pairs, true), '10:00')
})

t.test('counts an event without a start as started when it was received', async (t) => {
  const item = {
    id: 'a',
    feedShard: '2026-06-06#a',
    receivedAt: '2026-06-06T10:00:00.000Z',
    status: 'retrying'
  }
  await table.client.send(new PutCommand({ TableName: table.tableName, Item: item }))
  t.equal(await through('06', [['12:00', '12:00']]), '10:00')
})

t.test('stays before an outage until the hidden events have been started', async (t) => {
  const before: [string, string][] = [
    ['09:50', '09:50'],
    ['09:58', '09:58']
  ]
  // another event, received at 09:59, is still hidden; these were received later and have been started
  const after: [string, string][] = [
    ['11:00', '13:05'],
    ['13:05', '13:05'],
    ['13:06', '13:06']
  ]
  t.equal(await through('03', [...before, ...after]), '09:58')
  t.equal(await through('03', [['13:40', '13:40']]), '13:06')
})

t.test('stays before a backlog in which the workers stopped', async (t) => {
  const drained: [string, string][] = [
    ['10:00', '13:00'],
    ['12:59', '13:01']
  ]
  t.equal(await through('04', [['09:00', '09:00'], ...drained]), '09:00')
})

t.test('is undefined if the feed has no older events', async (t) => {
  t.equal(await through('05', []), undefined)
  t.equal(
    await through('05', [
      ['10:00', '10:01'],
      ['10:05', '10:05']
    ]),
    undefined
  )
})
