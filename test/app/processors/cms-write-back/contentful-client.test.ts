import t, { type Test } from 'tap'
import { createContentful, failureIn } from '../../../../app/processors/cms-write-back/contentful-client.ts'
import { buildCms } from '../../../support/cms.ts'

const TOKEN = 'local-contentful-token'

async function build(t: Test, change: { token?: string; url?: string; timeoutMs?: number } = {}) {
  const { contentful: standIn, url } = await buildCms(t)
  const call = await createContentful({
    token: TOKEN,
    url: `${url}/contentful`,
    space: 'local',
    environment: 'master',
    timeoutMs: 5000,
    ...change
  })
  return { standIn, read: () => call('read entry', (client) => client.entry.get({ entryId: 'welcome' })) }
}

t.test('reads an entry', async (t) => {
  const { read } = await build(t)
  t.match(await read(), { sys: { id: 'welcome', version: 2, publishedVersion: 1 } })
})

t.test('does not retry, and maps errors without the request', async (t) => {
  const { read, standIn } = await build(t)
  for (const [status, code] of [
    [429, 'CMS_UNAVAILABLE'],
    [500, 'CMS_UNAVAILABLE'],
    [403, 'CMS_UNAUTHORIZED'],
    [422, 'CMS_REJECTED']
  ] as const) {
    standIn.faults.add({ status })
    await t.rejects(read(), {
      code,
      message: new RegExp(`^Contentful: read entry: ${status} \\w+: injected ${status}`)
    })
  }
  t.equal(standIn.faults.calls.length, 4)
})

t.test('reports a wrong token without it', async (t) => {
  const { read } = await build(t, { token: 'wrong-contentful-token' })
  await t.rejects(read(), {
    code: 'CMS_UNAUTHORIZED',
    message: /^Contentful: read entry: 401 AccessTokenInvalid: (?!.*wrong-contentful)/
  })
})

t.test('maps missing responses', async (t) => {
  const { read, standIn } = await build(t, { timeoutMs: 100 })
  standIn.faults.add({ kind: 'hang' })
  await t.rejects(read(), { code: 'CMS_UNAVAILABLE', message: /timeout/ })
  standIn.faults.add({ kind: 'reset' })
  await t.rejects(read(), { code: 'CMS_UNAVAILABLE', message: /^Contentful: read entry: \S/ })
  for (const url of [
    'http://127.0.0.1:1',
    'https://127.0.0.1:1',
    'https://contentful.invalid',
    'http://contentful.invalid'
  ]) {
    const nobody = await build(t, { url, timeoutMs: 1000 })
    await t.rejects(nobody.read(), { code: 'CMS_UNAVAILABLE' })
  }
})

t.test('reads the reason of any error', async (t) => {
  t.strictSame(failureIn(Object.assign(new Error(), { code: 'ECONNREFUSED' })), {
    status: undefined,
    reason: 'ECONNREFUSED'
  })
  t.strictSame(failureIn(new TypeError()), { status: undefined, reason: 'TypeError' })
})
