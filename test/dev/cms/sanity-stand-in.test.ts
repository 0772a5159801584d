import { createClient } from '@sanity/client'
import t from 'tap'
import { buildCms } from '../../support/cms.ts'

const { url, sanity: standIn } = await buildCms(t)
const clientWith = (token: string) =>
  createClient({
    projectId: 'local',
    dataset: 'production',
    token,
    apiVersion: '2025-02-19',
    useCdn: false,
    perspective: 'raw',
    maxRetries: 0,
    apiHost: `${url}/sanity`,
    useProjectHostname: false
  })
const client = clientWith('local-sanity-token')

t.test('a patch needs the current revision', async (t) => {
  const { _rev } = standIn.document('welcome')!
  await client
    .patch('welcome', { set: { title: 'Hello' }, unset: ['hero'] })
    .ifRevisionId(_rev)
    .commit()
  t.match(await client.getDocument('welcome'), { title: 'Hello', hero: undefined })
  await t.rejects(
    client
      .patch('welcome', { set: { title: 'Bye' } })
      .ifRevisionId(_rev)
      .commit(),
    {
      statusCode: 409,
      message: /unexpected revision ID/
    }
  )
  await client.patch('welcome', { set: { title: 'Bye' } }).commit()
  t.match(standIn.view(), [{ title: 'Bye', before: { title: 'Hello' } }])
  await t.rejects(client.patch('nope', { set: { a: 1 } }).commit(), { statusCode: 404, message: /not found/ })
})

t.test('creates a document that does not exist', async (t) => {
  for (const title of ['one', 'two']) {
    await client.createIfNotExists({ _id: 'drafts.a', _type: 'article', title }, { returnDocuments: false })
  }
  t.match(standIn.document('drafts.a'), { title: 'one' })
  standIn.delete('drafts.a')
  t.equal(await client.getDocument('drafts.a'), undefined)
})

t.test('answers queries, and errors in their documented form', async (t) => {
  t.equal(await client.fetch('count(*[_type in $types])', { types: ['article'] }), 1)
  await t.rejects(client.fetch('*[hero.x == 1]'), { statusCode: 400, message: /expected a query/ })
  await t.rejects(clientWith('wrong').getDocument('welcome'), {
    statusCode: 401,
    message: /Session not found/
  })
  standIn.faults.add({ status: 503 })
  await t.rejects(client.getDocument('welcome'), { statusCode: 503, message: /injected 503/ })
  standIn.faults.add({
    run: () => {
      throw new Error('broken')
    }
  })
  await t.rejects(client.getDocument('welcome'), { statusCode: 500, message: /broken/ })
  standIn.faults.add({ kind: 'reset' })
  await t.rejects(client.getDocument('welcome'))
})
