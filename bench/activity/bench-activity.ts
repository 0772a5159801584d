import { BatchWriteCommand } from '@aws-sdk/lib-dynamodb'
import type { ActivityFilter } from '../../app/activity/activity-store.ts'
import { createActivityStore } from '../../app/journal/activity-reader.ts'
import { createDynamoDbClient } from '../../app/journal/dynamodb.ts'
import { startDynamoDb } from '../../dev/embedded-dynamodb.ts'
import { journalItem } from './journal-item.ts'

const USAGE = `Usage: npm run bench:activity -- [EVENTS]

Fills an embedded journal with EVENTS events (default 100000) of one day, then measures pages of the activity list.
`

const DAY_MS = 86_400_000
const PAGE = 50
const now = Date.now()
const { signal } = new AbortController()

async function main([given]: readonly string[]): Promise<void> {
  const count = Number(given ?? 100_000)
  if (!Number.isSafeInteger(count) || count < 1) {
    process.stderr.write(USAGE)
    process.exitCode = 2
    return
  }
  const dynamoDb = await startDynamoDb()
  Object.assign(process.env, dynamoDb.environment)
  const client = createDynamoDbClient()
  const store = createActivityStore({ client, tableName: dynamoDb.tableName })
  const print = (line: string) => process.stdout.write(`${line}\n`)
  const startedAt = performance.now()
  const starts = Array.from({ length: Math.ceil(count / 25) }, (_, batch) => batch * 25).values()
  const writeNext = async () => {
    for (const start of starts) {
      const numbers = Array.from({ length: Math.min(25, count - start) }, (_, index) => start + index)
      const requests = numbers.map((number) => ({
        PutRequest: { Item: journalItem(number, now - Math.floor((number * DAY_MS) / count)) }
      }))
      await client.send(new BatchWriteCommand({ RequestItems: { [dynamoDb.tableName]: requests } }))
    }
  }
  await Promise.all(Array.from({ length: 8 }, writeNext))
  print(`${count} events written in ${Math.round((performance.now() - startedAt) / 1000)} s`)

  let queries = 0
  dynamoDb.server.on('request', () => queries++)
  const measure = async (name: string, filter: ActivityFilter, pages: number) => {
    let cursor: string | undefined
    for (let page = 1; page <= pages; page++) {
      const from = performance.now()
      const cpu = process.cpuUsage()
      const before = queries
      const { events, older, searchedTo } = await store.list({
        filter,
        limit: PAGE,
        signal,
        ...(cursor && { cursor })
      })
      const milliseconds = Math.round(performance.now() - from)
      const { user, system } = process.cpuUsage(cpu)
      const effort = `${Math.round((user + system) / 1000)} ms of CPU, ${queries - before} calls`
      const progress = searchedTo ? `, searched to ${searchedTo}` : ''
      print(`${name}, page ${page}: ${milliseconds} ms (${effort}), ${events.length} events${progress}`)
      cursor = older
      if (!cursor) return
    }
  }
  await measure('warm-up', {}, 1)
  await measure('all', {}, 6)
  await measure('from the middle', { until: new Date(now - DAY_MS / 2).toISOString() }, 3)
  await measure('dead', { status: ['dead'] }, 3)
  await measure('processor ≥ 899 ms', { minimumMilliseconds: 899 }, 3)
  await measure('source poll', { source: 'poll' }, 3)
  await measure('tag', { tag: 'tag-42' }, 3)
  await measure('text, found nowhere', { text: 'needle' }, 3)
  client.destroy()
  await dynamoDb.stop()
}

await main(process.argv.slice(2))
