import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import t from 'tap'
import { createLimits } from '../../../app/web/web-limits.ts'
import { exchange, type HeaderLine, rawRequest } from '../../support/raw-http.ts'
import { buildWeb, signed } from '../../support/web.ts'

t.test('responds 404 with a code to an unknown path', async (t) => {
  const { app } = await buildWeb(t)
  const answer = await app.inject('/nowhere')
  t.equal(answer.statusCode, 404)
  t.strictSame(answer.json(), { code: 'NOT_FOUND' })
})

t.test('does not read a body for an unknown path', async (t) => {
  const { app } = await buildWeb(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  for (const type of ['application/json', 'text/plain']) {
    const headers: HeaderLine[] = [
      ['Host', 'localhost'],
      ['Content-Type', type],
      ['Content-Length', '999999']
    ]
    const [first] = await exchange(rawRequest({ target: '/nowhere', headers, body: '{' }), { port })
    t.equal(first, 404)
  }
})

t.test('closes connections beyond the limit and logs it', async (t) => {
  const { app, lines } = await buildWeb(t, { limits: { ...createLimits(), connections: 1 } })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const sockets = Array.from({ length: 3 }, () => connect(port, '127.0.0.1').on('error', () => {}))
  const [first, ...others] = sockets
  await Promise.all(others.map((socket) => once(socket, 'close')))
  t.match(
    lines.filter(({ code }) => code),
    [{ msg: 'connection refused', code: 'TOO_MANY_CONNECTIONS', limit: 1 }]
  )
  first?.destroy()
})

t.test('responds 500 without details to an unexpected error and logs it', async (t) => {
  const { app, lines, counts } = await buildWeb(t)
  app.get('/broken', () => {
    throw new Error('the details')
  })
  const answer = await app.inject('/broken')
  t.equal(answer.statusCode, 500)
  t.strictSame(answer.json(), { code: 'INTERNAL' })
  t.match(lines, [{ msg: 'request failed', err: { message: 'the details' } }])
  t.strictSame(counts, { 'NotificationsUnavailable INTERNAL': 1 })
})

t.test('keeps connections open longer than an ALB', async (t) => {
  const { app } = await buildWeb(t)
  t.ok(app.server.keepAliveTimeout > 60_000)
  t.ok(app.server.headersTimeout <= app.server.requestTimeout)
})

t.test('limits the time of a request to 30 s and of its headers to 10 s', async (t) => {
  const { app } = await buildWeb(t)
  t.equal(app.server.requestTimeout, 30_000)
  t.equal(app.server.headersTimeout, 10_000)
})

t.test('responds 408 to an incomplete request', async (t) => {
  const { app } = await buildWeb(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const address = app.server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  app.server.headersTimeout = 1
  app.server.requestTimeout = 1
  const inTheHead = 'POST /webhooks/cloudinary HTTP/1.1\r\n'
  const headers: HeaderLine[] = [
    ['Host', 'localhost'],
    ['Content-Length', '2'],
    ...Object.entries(signed('{}'))
  ]
  const inTheBody = rawRequest({ headers, body: '{' })
  for (const bytes of [inTheHead, inTheBody]) {
    t.strictSame(await exchange(bytes, { port, deadlineMs: 5000 }), [408])
  }
})

t.test('accepts two notifications on one connection', async (t) => {
  const { app } = await buildWeb(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const address = app.server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const body = '{}'
  const request = [
    'POST /webhooks/cloudinary HTTP/1.1',
    'Host: localhost',
    `Content-Length: ${body.length}`,
    ...Object.entries(signed(body)).map(([name, value]) => `${name}: ${value}`),
    '',
    body
  ].join('\r\n')
  const socket = connect(port, '127.0.0.1')
  let received = ''
  for (const expected of [1, 2]) {
    socket.write(request)
    while ((received.match(/HTTP\/1.1 200/g) ?? []).length < expected) {
      received += await new Promise((resolve) => socket.once('data', resolve))
    }
  }
  socket.destroy()
  t.pass('both were answered 200')
})

t.test('does not wait for a connection that becomes idle while closing', async (t) => {
  const { app } = await buildWeb(t)
  const asked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<string>()
  app.get('/slow', () => {
    asked.resolve()
    return answer.promise
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.write('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await asked.promise
  const closed = app.close()
  while (app.server.listening) await new Promise(setImmediate)
  answer.resolve('done')
  t.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 200 /)
  await closed
})

t.test('logs the address that the load balancer saw', async (t) => {
  const { post, lines } = await buildWeb(t)
  await post('{}', { 'x-forwarded-for': '10.0.0.1, 203.0.113.7' })
  t.match(
    lines.find(({ outcome }) => outcome === 'accepted'),
    { ip: '203.0.113.7' }
  )
})

t.test('responds to malformed requests with a code and logs them', async (t) => {
  const refusals: unknown[] = []
  const { app, post, lines, counts } = await buildWeb(t, {
    bodyLimitBytes: 1024,
    onRefused: ({ code, headers }) => refusals.push([code, headers.timestamp])
  })
  app.get('/teapot', () => {
    throw Object.assign(new Error('short and stout'), { statusCode: 418 })
  })
  t.strictSame((await post('x'.repeat(1025))).json(), { code: 'BODY_TOO_LARGE' })
  const answer = await app.inject('/teapot')
  t.equal(answer.statusCode, 418)
  t.strictSame(answer.json(), { code: 'BAD_REQUEST' })
  t.match(
    lines.filter(({ msg }) => msg === 'request refused').map(({ code }) => code),
    ['BODY_TOO_LARGE', 'BAD_REQUEST']
  )
  t.strictSame(counts, {
    'NotificationsRefused BODY_TOO_LARGE': 1,
    'NotificationsRefused BAD_REQUEST': 1
  })
  t.strictSame(refusals, [
    ['BODY_TOO_LARGE', '1780315200'],
    ['BAD_REQUEST', undefined]
  ])
})

t.test('every line of a request has its trace id', async (t) => {
  const traceId = 'Root=1-67891233-abcdef012345678912345678'
  const { app, post, lines } = await buildWeb(t, { bodyLimitBytes: 1024 })
  app.get('/broken', () => {
    throw new Error('the details')
  })
  const headers = { 'x-amzn-trace-id': traceId }
  await post('{}', headers)
  await post('{}', { ...headers, 'x-cld-signature': 'f'.repeat(40) })
  await post('x'.repeat(1025), headers)
  await app.inject({ url: '/broken', headers })
  t.match(lines, [
    { msg: 'notification accepted', traceId },
    { msg: 'notification refused', traceId },
    { msg: 'request refused', traceId },
    { msg: 'request failed', traceId }
  ])
  await post('{}')
  t.notOk('traceId' in lines.at(-1)!, 'invents none')
})
