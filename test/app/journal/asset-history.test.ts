import t from 'tap'
import type { AssetEvent } from '../../../app/ingest/event.ts'
import { readAssetHistory } from '../../../app/journal/asset-history.ts'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import { Journal } from '../../../app/journal/journal.ts'
import type { ProcessorRecord } from '../../../app/journal/processor-record.ts'
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

const time = (text: string) => Date.parse(`2026-06-${text}:00.000Z`)
const journal = new Journal({ ...table, clock: () => time('01T12:30') })

const ignored = (id: string, receivedAt: number, about: Partial<AssetEvent>) =>
  journal.ignore(
    eventOf(id, { receivedAt: new Date(receivedAt).toISOString(), ...about }),
    'not wanted',
    PATIENT
  )

const bag = { assetId: 'bag-id', publicId: 'bag' }
const hat = { assetId: 'hat-id', publicId: 'bag' }

t.test('returns the events of each asset in the given ranges', async (t) => {
  const occurredAt = '2026-06-01T12:00:00.000Z'
  const own = { source: 'api', id: '1', own: true }
  await ignored('0a', time('01T10:59'), { asset: bag })
  await ignored('1b', time('01T11:00'), {
    asset: bag,
    type: 'resource_tags_changed',
    occurredAt,
    origin: own
  })
  await ignored('2d', time('01T12:30'), { asset: { publicId: 'bag' }, type: 'rename' })
  await ignored('3e', time('01T12:30'), { asset: bag, environment: 'other' })
  await ignored('4f', time('01T12:30'), { asset: null, type: 'create_folder' })
  await ignored('5a', time('01T12:30'), { asset: hat, type: 'move' })
  await ignored('6a', time('01T12:30'), { asset: { assetId: 'cap-id' } })
  const ranges = [
    { from: time('01T12:00'), until: time('01T12:40') },
    { from: time('01T11:00'), until: time('01T11:30') },
    { from: time('01T11:10'), until: time('01T11:20') }
  ]
  const history = await readAssetHistory('demo', [bag, hat], ranges, table)
  const types = (asset: object) =>
    history(asset)
      .map(({ type }) => type)
      .sort()
  t.strictSame(types(bag), ['rename', 'resource_tags_changed'])
  t.strictSame(types(hat), ['move', 'rename'])
  t.strictSame(types({ assetId: 'cap-id' }), [], 'another asset')
  t.strictSame(
    history(bag).find(({ type }) => type === 'resource_tags_changed'),
    { type: 'resource_tags_changed', occurredAt: Date.parse(occurredAt), own: true, runs: [] }
  )
})

t.test('returns when a worker last wrote to an unfinished event', async (t) => {
  const startedAt = time('06T12:00')
  const endedAt = time('06T12:05')
  const starting = new Journal({ ...table, clock: () => startedAt })
  const at = new Date(endedAt).toISOString()
  const ran = { at, milliseconds: 100, attempts: 1, waits: 0 }
  const failed = { ...ran, outcome: 'failed', code: 'X', message: 'not now', notBefore: at } as const
  const traceOf = async (id: string, tagger?: ProcessorRecord) => {
    const asset = { assetId: `cap-${id}` }
    const event = eventOf(id, { receivedAt: '2026-06-06T11:59:00.000Z', asset })
    const attempt = await beginAttempt(starting, event)
    if (tagger) {
      const status = tagger.outcome === 'succeeded' ? 'done' : 'retrying'
      await journal.record(attempt, { tagger }, { status }, PATIENT)
    }
    const range = { from: time('06T11:00'), until: time('06T12:00') }
    return (await readAssetHistory('demo', [asset], [range], table))(asset)[0]
  }
  const runs = [{ from: endedAt - 100, until: endedAt }]
  t.match(await traceOf('b1'), { openAt: startedAt, runs: [] })
  t.match(await traceOf('b2', failed), { openAt: endedAt, runs })
  t.match(await traceOf('b3', { ...ran, outcome: 'succeeded' }), { openAt: undefined, runs })
  const started = { at, attempts: 1, waits: 0, outcome: 'started' } as const
  t.match(await traceOf('b4', started), { openAt: endedAt, runs: [{ from: endedAt, until: endedAt }] })
  const notBefore = '2026-06-09T12:00:00.000Z'
  t.match(
    await traceOf('b5', { ...failed, notBefore }),
    { openAt: Date.parse(notBefore) },
    'a processor waits for days'
  )
})
