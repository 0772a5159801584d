import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json, text } from 'node:stream/consumers'
import { feedItem, firstAsset, foundAsset, type History, isLost } from './history.ts'

/** A page of DynamoDB is 1 MB; an item of the feed is about 800 bytes. */
const ITEMS_PER_PAGE = 1300
const ITEM_BYTES = 800

export interface HistoryServer {
  searches: number
  queries: number
  /** Number of items that DynamoDB would have read and charged. */
  itemsRead: number
  stop: () => void
  url: string
}

/**
 * Serves DynamoDB and the Search API to `reconcile` from a computed history, since neither dynalite nor the
 * Cloudinary stand-in can hold a million items.
 */
export async function startServer(history: History, lost: ReadonlySet<string>): Promise<HistoryServer> {
  const served: HistoryServer = { searches: 0, queries: 0, itemsRead: 0, url: '', stop: () => server.close() }
  const server = createServer(async (request, response) => {
    const operation = String(request.headers['x-amz-target'] ?? '').split('.')[1]
    const body = operation ? ((await json(request)) as never) : await text(request)
    const answer = operation ? dynamoDb(operation, body as never) : search(body as string)
    response.setHeader('content-type', operation ? 'application/x-amz-json-1.0' : 'application/json')
    response.end(JSON.stringify(answer))
  })

  function dynamoDb(operation: string, input: Record<string, object>): object {
    switch (operation) {
      case 'Query':
        return query(input as never)
      case 'BatchGetItem': {
        const [[table, { Keys }]] = Object.entries(input.RequestItems!) as never as [
          [string, { Keys: { id: { S: string } }[] }]
        ]
        return { Responses: { [table]: Keys.filter(({ id }) => !lost.has(id.S)) }, UnprocessedKeys: {} }
      }
      default:
        return {}
    }
  }

  function query(input: {
    ExpressionAttributeValues: Record<':shard' | ':from' | ':until', { S: string }>
    ExpressionAttributeNames: Record<string, string>
    ProjectionExpression: string
    ExclusiveStartKey?: { next: { N: string } }
  }): object {
    served.queries++
    const { ':shard': shard, ':from': from, ':until': until } = input.ExpressionAttributeValues
    const digit = Number.parseInt(shard.S.at(-1)!, 16)
    const names = input.ProjectionExpression.split(', ').map((name) => input.ExpressionAttributeNames[name]!)
    const through = Math.min(Date.parse(until.S), history.end)
    const ends = (['upload', 'tags'] as const).map((field) => ({
      field,
      first: firstAsset(history, field, Date.parse(from.S)),
      end: firstAsset(history, field, through + 1)
    }))
    // the uploads, then the tag changes; a page can end in either
    const Items: object[] = []
    let position = Number(input.ExclusiveStartKey?.next.N ?? 0)
    let offset = 0
    for (const { field, first, end } of ends) {
      for (let asset = first + Math.max(0, position - offset); asset < end; asset++) {
        position = offset + asset - first + 1
        if (asset % 16 !== digit || (field === 'tags' && isLost(history, asset))) continue
        const item = feedItem(history, field, asset)
        Items.push(Object.fromEntries(names.filter((name) => name in item).map((name) => [name, item[name]])))
        if (Items.length < ITEMS_PER_PAGE) continue
        served.itemsRead += Items.length
        return { Items, LastEvaluatedKey: { next: { N: String(position) } } }
      }
      offset += Math.max(0, end - first)
    }
    served.itemsRead += Items.length
    return { Items }
  }

  function search(body: string): object {
    served.searches++
    const { expression, next_cursor, max_results } = JSON.parse(body)
    const [, field, from, until] = /^(\S+)>="(\S+)" AND \S+<="(\S+)"$/.exec(expression)!
    const by = field === 'uploaded_at' ? 'upload' : 'tags'
    if (by === 'tags' && field !== 'last_updated.tags_updated_at') return { resources: [] }
    const first = Number(next_cursor ?? firstAsset(history, by, Date.parse(from!)))
    const end = firstAsset(history, by, Date.parse(until!) + 1000)
    const next = Math.min(first + max_results, end)
    const resources: object[] = []
    for (let asset = first; asset < next; asset++) resources.push(foundAsset(history, asset))
    return { resources, ...(next < end && { next_cursor: String(next) }) }
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  served.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return served
}

/** Returns the gigabytes that DynamoDB reads for a number of feed items. */
export const gigabytesOf = (items: number) => (items * ITEM_BYTES) / 1e9
