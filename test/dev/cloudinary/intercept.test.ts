import t from 'tap'
import { connect, refusal, sdk } from './sdk.ts'

t.test('records each call with its status, without credentials', async (t) => {
  const { standIn, own, colleague } = await connect(t)
  standIn.ui().upload({ publicId: 'a' })
  await sdk.uploader.add_tag('x', ['a'], own)
  await refusal(sdk.api.resource('f/nope', colleague))
  t.match(standIn.calls, [
    { method: 'POST', action: 'tags', cloud: 'demo', apiKey: own.api_key, publicIds: ['a'], status: 200 },
    { method: 'GET', action: 'resource', apiKey: colleague.api_key, publicIds: ['f/nope'], status: 404 }
  ])
  t.notMatch(JSON.stringify(standIn.calls), /secret|signature/)
})

t.test('both APIs refuse an unknown cloud', async (t) => {
  const { own } = await connect(t)
  const elsewhere = { ...own, cloud_name: 'nope' }
  const wanted = { message: 'Invalid cloud_name nope', http_code: 401 }
  t.match(await refusal(sdk.uploader.add_tag('x', ['a'], elsewhere)), wanted)
  t.match(await refusal(sdk.api.resource('a', elsewhere)), wanted)
})

t.test('states an error in a header too', async (t) => {
  const { standIn, own } = await connect(t)
  const authorization = `Basic ${Buffer.from(`${own.api_key}:${own.api_secret}`).toString('base64')}`
  const url = `${standIn.url}/v1_1/demo/resources/image/upload/caf%C3%A9`
  const response = await fetch(url, { headers: { authorization } })
  t.equal(response.status, 404)
  t.equal(response.headers.get('x-cld-error'), 'Resource not found - caf?')
  t.same(await response.json(), { error: { message: 'Resource not found - café' } })
})

t.test('refuses an unreadable body, and answers 500 to an internal error', async (t) => {
  const { standIn, own } = await connect(t)
  const authorization = `Basic ${Buffer.from(`${own.api_key}:${own.api_secret}`).toString('base64')}`
  const headers = { authorization, 'content-type': 'application/json' }
  const url = `${standIn.url}/v1_1/demo/resources/search`
  t.equal((await fetch(url, { method: 'POST', headers, body: '{' })).status, 400)
  t.equal(standIn.calls.length, 0)
  standIn.faults.add({
    kind: 'hang',
    when: () => {
      throw new Error('mistaken predicate')
    }
  })
  t.equal((await fetch(url, { method: 'POST', headers, body: '{}' })).status, 500)
})

t.test('loses or replaces an answer after the call took effect', async (t) => {
  const { standIn, own } = await connect(t)
  standIn.ui().upload({ publicId: 'a' })
  standIn.faults.add({ kind: 'status', status: 500, after: true, count: 1 })
  t.match(await refusal(sdk.uploader.add_tag('x', ['a'], own)), { message: 'General Error', http_code: 500 })
  standIn.faults.add({ kind: 'reset', after: true, count: 1 })
  await refusal(sdk.uploader.add_tag('y', ['a'], own))
  t.same(standIn.assets.find('a')?.tags, ['x', 'y'])
  standIn.faults.add({ kind: 'reset', count: 1 })
  await refusal(sdk.uploader.add_tag('z', ['a'], own))
  t.same(standIn.assets.find('a')?.tags, ['x', 'y'])
  t.match(standIn.calls, [{ status: 500 }, { status: null }, { status: null }])
})
