import { PutCommand } from '@aws-sdk/lib-dynamodb'
import t from 'tap'
import type { AssetEvent } from '../../../app/cloudinary/event.ts'
import { AssetHistory } from '../../../app/journal/asset-history.ts'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import { Journal } from '../../../app/journal/journal.ts'
import { feedShard } from '../../../app/journal/table.ts'
import { startDynamoDb } from '../../../dev/dynamodb.ts'
import { eventOf, QUIET } from '../../support/operator.ts'

const dynamoDb = await startDynamoDb()
Object.assign(process.env, dynamoDb.environment)
const { tableName } = dynamoDb
const client = createDynamoDbClient()
const table = { client, tableName }
t.teardown(async () => {
  client.destroy()
  await dynamoDb.stop()
})

const never = new AbortController().signal
const NOW = Date.parse('2026-06-01T12:30:00.000Z')
const time = (text: string) => Date.parse(`2026-06-${text}:00.000Z`)
const journal = new Journal({ ...table, log: QUIET, clock: () => NOW })

/** Journals an event that was received then; where processors ran for it, one did for 100 ms, until `ranAt`. */
async function journaled(id: string, receivedAt: number, about: Partial<AssetEvent>, ranAt?: number) {
  const event = eventOf(id, { receivedAt: new Date(receivedAt).toISOString(), ...about })
  if (ranAt === undefined) return journal.ignore(event, 'no processor wants it')
  await journal.begin(event)
  const record = { outcome: 'succeeded' as const, at: new Date(ranAt).toISOString(), milliseconds: 100 }
  await journal.record(id, { name: 'tagger', record }, { status: 'done' }, never)
}

const bag = { assetId: 'bag-id', publicId: 'bag' }

t.test('an asset has its events of the hours that were asked for', async (t) => {
  const occurredAt = '2026-06-01T12:00:00.000Z'
  await journaled('0a', time('01T10:59'), { asset: bag })
  await journaled('1b', time('01T11:00'), { asset: bag, type: 'resource_tags_changed', occurredAt })
  await journaled('fc', time('01T12:30'), { asset: bag, occurredAt }, time('01T12:31'))
  await journaled('2d', time('01T12:30'), { asset: { publicId: 'bag' }, type: 'rename' })
  await journaled('3e', time('01T12:30'), { asset: bag, environment: 'other' })
  await journaled('4f', time('01T12:30'), { asset: null, type: 'create_folder' })
  await journaled('5a', time('01T12:30'), { asset: { assetId: 'hat-id', publicId: 'bag' } })
  const history = new AssetHistory(table)
  t.strictSame(history.of('demo', bag), [])
  await history.load(time('01T11:20'), time('01T12:40'))
  const typesOf = (environment: string, asset: object) =>
    history
      .of(environment, asset)
      .map(({ type }) => type)
      .sort()
  t.strictSame(typesOf('demo', bag), ['rename', 'resource_tags_changed', 'upload'])
  t.strictSame(typesOf('other', bag), ['upload'])
  t.strictSame(typesOf('demo', { assetId: 'hat-id' }), ['upload'])
  t.strictSame(
    history.of('demo', bag).find(({ type }) => type === 'upload'),
    {
      type: 'upload',
      occurredAt: Date.parse(occurredAt),
      runs: [{ from: time('01T12:31') - 100, until: time('01T12:31') }]
    }
  )
})

t.test('of an event that is not finished, it says when a worker last gave a sign of it', async (t) => {
  const begunAt = time('06T12:00')
  const endedAt = time('06T12:05')
  const beginning = new Journal({ ...table, log: QUIET, clock: () => begunAt })
  const openAt = async (id: string, outcome?: 'failed' | 'succeeded') => {
    const asset = { assetId: `cap-${id}` }
    await beginning.begin(eventOf(id, { receivedAt: '2026-06-06T11:59:00.000Z', asset }))
    if (outcome) {
      const about = outcome === 'failed' ? { outcome, code: 'X', message: 'not now' } : { outcome }
      const record = { ...about, at: new Date(endedAt).toISOString(), milliseconds: 100 }
      const status = outcome === 'failed' ? 'retrying' : 'done'
      await journal.record(id, { name: 'tagger', record }, { status }, never)
    }
    const history = new AssetHistory(table)
    await history.load(time('06T11:00'), time('06T12:00'))
    return history.of('demo', asset)[0]?.openAt
  }
  t.equal(await openAt('b1'), begunAt)
  t.equal(await openAt('b2', 'failed'), endedAt)
  t.equal(await openAt('b3', 'succeeded'), undefined)
})

t.test('hours that are held are not read again, and others are let go', async (t) => {
  const cup = { assetId: 'cup-id' }
  await journaled('6a', time('02T23:59'), { asset: cup })
  const history = new AssetHistory(table)
  await history.load(time('02T23:00'), time('03T00:10'))
  await journaled('7a', time('02T23:58'), { asset: cup, type: 'rename' })
  await journaled('8a', time('03T01:05'), { asset: cup, type: 'move' })
  await history.load(time('02T23:30'), time('03T01:10'))
  t.strictSame(
    history
      .of('demo', cup)
      .map(({ type }) => type)
      .sort(),
    ['move', 'upload']
  )
  await history.load(time('03T01:00'), time('03T02:00'))
  t.strictSame(
    history.of('demo', cup).map(({ type }) => type),
    ['move']
  )
  await history.load(time('02T22:00'), time('03T02:00'))
  t.strictSame(history.of('demo', cup).length, 3)
})

t.test('a gap between hours that are held is filled without reading these twice', async (t) => {
  const pen = { assetId: 'pen-id' }
  for (const hour of ['10', '11', '12']) {
    await journaled(`9${hour}`, time(`04T${hour}:30`), { asset: pen })
  }
  const history = new AssetHistory(table)
  await history.load(time('04T11:00'), time('04T11:30'))
  await history.load(time('04T10:00'), time('04T12:30'))
  t.equal(history.of('demo', pen).length, 3)
})

t.test('more than a page of the feed is read', async (t) => {
  const lamp = { assetId: 'lamp-id', publicId: 'x'.repeat(200_000) }
  const Item = { ...eventOf('a', { asset: lamp }), receivedAt: '2026-06-05T12:00:00.000Z' }
  for (let index = 0; index < 8; index++) {
    const id = `a${index}`
    const shard = { feedShard: feedShard(id, Item.receivedAt) }
    await client.send(new PutCommand({ TableName: tableName, Item: { ...Item, id, ...shard } }))
  }
  const history = new AssetHistory(table)
  await history.load(time('05T12:00'), time('05T12:00'))
  t.equal(history.of('demo', lamp).length, 8)
})

t.test('the newest event that was begun, up to a day ago', async (t) => {
  const history = new AssetHistory(table)
  t.equal(await history.newest(time('01T23:00')), time('01T12:30'))
  t.equal(await history.newest(time('02T10:00')), time('01T12:30'))
  t.equal(await history.newest(time('20T10:00')), undefined)
})

t.test('a journal that fails is unavailable', async (t) => {
  const history = new AssetHistory({ client, tableName: 'absent' })
  await t.rejects(history.load(NOW, NOW), { code: 'JOURNAL_UNAVAILABLE' })
  await t.rejects(history.newest(NOW), { code: 'JOURNAL_UNAVAILABLE' })
})
