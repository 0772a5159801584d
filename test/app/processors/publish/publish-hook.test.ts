import t from 'tap'
import {
  callHook,
  HOOK,
  type HookInput,
  requestsFor
} from '../../../../app/processors/publish/publish-hook.ts'
import { buildReceiver } from '../../../support/receiver.ts'

const SECRET = 'a-secret/of the site'
const change = { ids: ['1'], tags: ['cloudinary', 'cloudinary:ä&b'], paths: ['/shop/*'] }
const requests = (hook: HookInput, changed: Parameters<typeof requestsFor>[2] = change) =>
  requestsFor(HOOK.parse(hook), SECRET, changed)

t.test('posts what changed, with the secret in a header', async (t) => {
  const [request, ...others] = requests({ url: 'https://a.example/api', headers: { 'X-Site': 'one' } })
  t.strictSame(others, [])
  t.match(request, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${SECRET}`,
      'content-type': 'application/json',
      'x-site': 'one',
      'user-agent': 'cloudinary-listener'
    }
  })
  t.equal(request?.url.href, 'https://a.example/api')
  t.strictSame(JSON.parse(request?.body ?? ''), { tags: change.tags, paths: change.paths })
})

t.test('sends the secret as a parameter', async (t) => {
  const [request] = requests({ url: 'https://a.example/api?a=1', secretIn: 'query' })
  t.equal(request?.url.searchParams.get('secret'), SECRET)
  t.equal(request?.url.searchParams.get('a'), '1')
  t.notOk('authorization' in (request?.headers ?? {}))
})

t.test('sends GET requests, as many as the URLs need', async (t) => {
  const [request, ...others] = requests({ url: 'https://a.example/api', method: 'GET' })
  t.equal(request?.url.search, '?tag=cloudinary&tag=cloudinary%3A%C3%A4%26b&path=%2Fshop%2F*')
  t.strictSame([request?.body, others], [undefined, []])
  const tags = ['x'.repeat(3000), 'y'.repeat(1500), 'z'.repeat(1500)]
  const many = requests({ url: 'https://a.example/api', method: 'GET' }, { tags, paths: ['/a'] })
  t.strictSame(
    many.map(({ url }) => url.search.replace(/(.)\1+/g, '$1')),
    ['?tag=x', '?tag=y', '?tag=z&path=%2Fa']
  )
})

t.test('calls the hook, and masks the secret in errors', async (t) => {
  const options = { timeoutSeconds: 60, signal: new AbortController().signal, clock: Date.now }
  const site = await buildReceiver(t, 200, { status: 401, body: `not ${SECRET}` }, 403, 503)
  await callHook(HOOK.parse(site.url), SECRET, change, options)
  t.match(site.requests, [{ method: 'POST', headers: { authorization: `Bearer ${SECRET}` } }])
  const call = () => callHook(HOOK.parse(site.url), SECRET, change, options)
  const remedy = /\(check that it compares with the same PUBLISH_SECRET\)$/
  await t.rejects(call(), { code: 'PUBLISH_REJECTED', message: /answered 401: not \[secret\] \(/ })
  await t.rejects(call(), { code: 'PUBLISH_REJECTED', message: remedy })
  await t.rejects(call(), { code: 'PUBLISH_UNAVAILABLE', message: /answered 503$/ })
})

t.test('rejects invalid hooks', async (t) => {
  const refused = (hook: unknown, message: RegExp) =>
    t.match(HOOK.safeParse(hook).error?.issues[0], { message })
  refused('a.example', /URL/)
  refused('http://a.example', /https:\/\//)
  refused({ url: 'http://a.example', allowHttp: false }, /https:\/\//)
  t.ok(HOOK.parse({ url: 'http://a.example', allowHttp: true }))
  refused({ url: 'https://a.example', method: 'PUT' }, /POST/)
  refused({ url: 'https://a.example', headers: { authorization: 'mine' } }, /headers/)
  refused({ url: 'https://a.example', secret: 'mine' }, /secret/)
  refused(7, /./)
})
