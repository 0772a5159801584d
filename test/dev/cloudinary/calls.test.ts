import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { basicCredentials, describeCall, isLost, isOver } from '../../../dev/cloudinary/calls.ts'

const requestOf = (given: object): FastifyRequest =>
  ({
    method: 'POST',
    params: { cloud: 'demo' },
    headers: {},
    routeOptions: { config: { action: 'tags' } },
    ...given
  }) as unknown as FastifyRequest

t.test('records a call without credentials', async (t) => {
  const values = { api_key: '1', signature: 'x', timestamp: '5', public_ids: ['a', 'b'], tag: 'x' }
  t.same(describeCall(requestOf({ params: { cloud: 'demo', resource_type: 'image' } }), { values }, 5), {
    time: 5,
    method: 'POST',
    action: 'tags',
    cloud: 'demo',
    apiKey: '1',
    resourceType: 'image',
    publicIds: ['a', 'b'],
    params: { public_ids: ['a', 'b'], tag: 'x' },
    status: null,
    fault: null
  })
})

t.test('finds public IDs in the path and in any parameter', async (t) => {
  const idsOf = (values: Record<string, string>, params: object = { cloud: 'demo' }) =>
    describeCall(requestOf({ params }), { values }, 0).publicIds
  t.same(idsOf({ public_id: 'a' }), ['a'])
  t.same(idsOf({ from_public_id: 'a', to_public_id: 'b' }), ['a'])
  t.same(idsOf({}, { cloud: 'demo', '*': 'f/a' }), ['f/a'])
})

t.test('records a JSON body unchanged', async (t) => {
  const headers = { 'content-type': 'application/json' }
  const body = { expression: 'a:1', sort_by: [{ a: 'asc' }] }
  t.same(describeCall(requestOf({ headers, body }), { values: {} }, 0).params, body)
  t.same(describeCall(requestOf({ headers, body: null }), { values: {} }, 0).params, {})
})

t.test('records a call without a route or a key', async (t) => {
  const call = describeCall(requestOf({ routeOptions: { config: {} } }), { values: {} }, 0)
  t.match(call, { action: 'unknown', apiKey: null, resourceType: null, publicIds: [] })
})

t.test('reads basic credentials; a secret may contain a colon', async (t) => {
  const authorization = `Basic ${Buffer.from('1:a:b').toString('base64')}`
  const request = requestOf({ headers: { authorization } })
  t.same(basicCredentials(request), { apiKey: '1', apiSecret: 'a:b' })
  t.equal(describeCall(request, { values: {} }, 0).apiKey, '1')
  t.equal(basicCredentials(requestOf({ headers: { authorization: 'Bearer x' } })), undefined)
})

t.test('a call is over once it is answered or lost', async (t) => {
  const call = describeCall(requestOf({}), { values: {} }, 0)
  t.equal(isOver(call), false)
  t.equal(isOver({ ...call, fault: 'latency' }), false)
  t.equal(isOver({ ...call, status: 200 }), true)
  t.equal(isOver({ ...call, fault: 'hang' }), true)
  t.equal(isLost({ ...call, fault: 'reset' }), true)
  t.equal(isLost({ ...call, fault: 'status' }), false)
})
