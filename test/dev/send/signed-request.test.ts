import { createHash } from 'node:crypto'
import { test } from 'tap'
import { makeRequest, type NotificationRequest } from '../../../dev/send/signed-request.ts'
import { sendOptions } from './fixtures.ts'

const now = new Date('2026-02-03T04:05:06.789Z')
const local = sendOptions().credentials

const digest = ({ body, headers }: NotificationRequest, algorithm = 'sha1') =>
  createHash(algorithm).update(body).update(`${headers['x-cld-timestamp']}${local.apiSecret}`).digest('hex')

test('signs the bytes of a sample at the given time', async (t) => {
  const request = makeRequest(sendOptions(), 0, now)
  t.strictSame(JSON.parse(request.body.toString()), request.notification)
  t.strictSame(request.headers, {
    'content-type': 'application/json',
    'x-cld-timestamp': '1770091506',
    'x-cld-signature': digest(request)
  })
})

test('signs with SHA-256 on request', async (t) => {
  const request = makeRequest(sendOptions({ credentials: { ...local, algorithm: 'sha256' } }), 0, now)
  t.equal(request.headers['x-cld-signature'], digest(request, 'sha256'))
})

test('names a colleague as the author, or the listener with --own', async (t) => {
  const by = (own: boolean) => makeRequest(sendOptions({ own }), 0, now).notification
  t.match(by(false), { notification_context: { triggered_by: { id: '222222222222222' } } })
  t.match(by(true), { notification_context: { triggered_by: { id: '111111111111111' } } })
  t.match(by(false), { signature_key: '111111111111111' })
})

test('sends one notification for the given asset, several for one asset each', async (t) => {
  const publicIds = (count: number) =>
    [0, 1].map(
      (index) => makeRequest(sendOptions({ publicId: 'a', count }), index, now).notification?.public_id
    )
  t.same(publicIds(1), ['a', 'a'])
  t.same(publicIds(2), ['a-1', 'a-2'])
})

test('puts the options into the sample', async (t) => {
  const options = sendOptions({
    type: 'move',
    variant: 'folders',
    resources: 3,
    resourceType: 'video',
    source: 'ui'
  })
  const { notification } = makeRequest(options, 0, now)
  t.equal(Object.keys(notification?.resources as object).length, 3)
  t.match(notification, { source: 'ui', resources: { 'samples/leather-bag': { resource_type: 'video' } } })
})

test('sends any file byte for byte', async (t) => {
  const bytes = Buffer.from([0xff, 0x00, 0x7b])
  const request = makeRequest(sendOptions({ file: 'x' }), 0, now, bytes)
  t.strictSame(request.body, bytes)
  t.equal(request.headers['x-cld-signature'], digest(request))
  t.equal(request.notification, null)
  t.strictSame(makeRequest(sendOptions(), 0, now, Buffer.from('{"a":1}')).notification, { a: 1 })
  t.equal(makeRequest(sendOptions(), 0, now, Buffer.from('null')).notification, null)
  t.equal(makeRequest(sendOptions(), 0, now, Buffer.from('"text"')).notification, null)
})

test('changes one byte of a tampered body', async (t) => {
  const intact = makeRequest(sendOptions(), 0, now)
  const tampered = makeRequest(sendOptions({ defect: 'tampered' }), 0, now)
  t.same(tampered.headers, intact.headers)
  t.equal(tampered.body.length, intact.body.length)
  t.equal(tampered.body.filter((byte, index) => byte !== intact.body[index]).length, 1)
  const file = Buffer.from('abc')
  makeRequest(sendOptions({ defect: 'tampered' }), 0, now, file)
  t.equal(file.toString(), 'abc')
  t.equal(makeRequest(sendOptions({ defect: 'tampered' }), 0, now, Buffer.alloc(0)).body.length, 1)
})

test('signs stale and future notifications correctly at a wrong time', async (t) => {
  for (const [defect, timestamp] of [
    ['stale', '1770080706'],
    ['future', '1770095106']
  ] as const) {
    const request = makeRequest(sendOptions({ defect }), 0, now)
    t.match(request.headers, { 'x-cld-timestamp': timestamp, 'x-cld-signature': digest(request) })
  }
})

test('sends an unsigned notification without signature headers', async (t) => {
  t.strictSame(makeRequest(sendOptions({ defect: 'unsigned' }), 0, now).headers, {
    'content-type': 'application/json'
  })
})
