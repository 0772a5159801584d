import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { BatchWriteCommand } from '@aws-sdk/lib-dynamodb'
import type { ActivityFilter } from '../../app/activity/activity-store.ts'
import { createActivityStore } from '../../app/journal/activity-reader.ts'
import { createDynamoDbClient } from '../../app/journal/dynamodb.ts'
import { feedShard, unfinishedShard } from '../../app/journal/journal-table.ts'
import { startDynamoDb } from '../../dev/embedded-dynamodb.ts'

const USAGE = `Usage: npm run bench:activity -- [EVENTS]

Fills an embedded journal with EVENTS events (default 100000) of one day, then measures pages of the activity list.
`

const DAY_MS = 86_400_000
const PAGE = 50
const now = Date.now()
const { signal } = new AbortController()

/** An item as the worker leaves it. */
function itemOf(number: number, count: number) {
  const id = createHash('sha256').update(String(number)).digest('hex').slice(0, 32)
  const receivedAt = new Date(now - Math.floor((number * DAY_MS) / count)).toISOString()
  const publicId = `folder-${number % 50}/photo-${number % 5000}`
  const status = number % 500 === 7 ? 'dead' : 'done'
  const payload = { notification_type: 'upload', public_id: publicId, tags: [`tag-${number % 100}`], number }
  const event = { id, type: 'upload', environment: 'demo', receivedAt, payload }
  return {
    id,
    type: 'upload',
    environment: 'demo',
    asset: { publicId },
    origin: { source: 'api', id: '123456789012345', own: false },
    occurredAt: receivedAt,
    receivedAt,
    startedAt: receivedAt,
    finishedAt: receivedAt,
    status,
    attempts: 1,
    attemptId: id,
    attemptStartedAt: receivedAt,
    processors: {
      tag: { outcome: 'succeeded', at: receivedAt, milliseconds: number % 900, attempts: 1, waits: 0 }
    },
    source: number % 20 === 3 ? 'poll' : 'web',
    feedShard: feedShard(id, receivedAt),
    historyKey: createHash('sha256').update(publicId).digest('hex'),
    ...(status === 'dead' && { unfinishedShard: unfinishedShard('dead', id) }),
    payload: gzipSync(JSON.stringify(event))
  }
}

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
      const requests = numbers.map((number) => ({ PutRequest: { Item: itemOf(number, count) } }))
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
