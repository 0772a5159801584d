import { randomBytes } from 'node:crypto'
import { GetCommand } from '@aws-sdk/lib-dynamodb'
import fc from 'fast-check'
import t from 'tap'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import { StateStore } from '../../../app/journal/processor-state.ts'
import { startDynamoDb } from '../../../dev/dynamodb.ts'

const dynamoDb = await startDynamoDb()
Object.assign(process.env, dynamoDb.environment)
const client = createDynamoDbClient()
const { tableName } = dynamoDb
t.teardown(async () => {
  client.destroy()
  await dynamoDb.stop()
})

const store = new StateStore({ client, tableName })

t.test('keeps a value until it is set again or deleted', async (t) => {
  const state = store.of('csv-bulk')
  t.equal(await state.get('rows'), undefined)
  await state.set('rows', { done: 20 })
  await state.set('rows', { done: 40 })
  t.strictSame(await state.get('rows'), { done: 40 })
  await state.delete('rows')
  t.equal(await state.get('rows'), undefined)
  await state.delete('rows')
})

t.test('separates a processor from a command of the same name', async (t) => {
  await store.of('reconcile').set('watermark', 1)
  await store.ofCommand('reconcile').set('watermark', 2)
  t.equal(await store.of('reconcile').get('watermark'), 1)
  t.equal(await store.ofCommand('reconcile').get('watermark'), 2)
})

t.test('returns any JSON value unchanged', async (t) => {
  const state = store.of('any')
  await t.resolves(
    fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1, unit: 'grapheme' }), fc.jsonValue(), async (key, value) => {
        await state.set(key, value)
        const found = await state.get(key)
        return JSON.stringify(found) === JSON.stringify(value)
      }),
      { numRuns: 30 }
    )
  )
})

t.test('separates the keys of processors', async (t) => {
  await store.of('one').set('key', 1)
  t.equal(await store.of('two').get('key'), undefined)
})

t.test('a value expires 30 days after it was last set', async (t) => {
  const clock = () => Date.parse('2026-06-01T00:00:00.500Z')
  await new StateStore({ client, tableName, clock }).of('mine').set('key', 1)
  const { Item } = await client.send(new GetCommand({ TableName: tableName, Key: { id: 'state/mine/key' } }))
  t.equal(Item?.expiresAt, Date.parse('2026-07-01T00:00:00Z') / 1000)
})

t.test('rejects a value that is too large for DynamoDB', async (t) => {
  const state = store.of('mine')
  await t.rejects(state.set('large', randomBytes(400_000).toString('base64')), {
    code: 'STATE_TOO_LARGE',
    message: /state\/mine\/large .*\b307200\b/
  })
  await state.set('compressible', 'x'.repeat(1_000_000))
})

t.test('throws JOURNAL_UNAVAILABLE if DynamoDB fails', async (t) => {
  const state = new StateStore({ client, tableName: 'no-such-table' }).of('mine')
  for (const attempt of [state.get('a'), state.set('a', 1), state.delete('a')]) {
    await t.rejects(attempt, { code: 'JOURNAL_UNAVAILABLE' })
  }
})
