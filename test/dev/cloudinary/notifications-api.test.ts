import { createHash } from 'node:crypto'
import t from 'tap'
import { connect, rest } from './sdk.ts'

const TRIGGERS = '/v1_1/:cloud/triggers'
const MESSAGES = '/v2/notifications/:cloud/messages'

interface Message {
  receipt_handle: string
  payload: Record<string, unknown>
  signed_payload: string
  signature: string
  timestamp: string
}

t.test('keeps a signed notification in its channel until it is acknowledged', async (t) => {
  const { standIn, own } = await connect(t, { clock: () => 1_700_000_000_000 })
  await rest(own, 'POST', TRIGGERS, { uri: 'poll://orders', event_type: 'upload', uri_type: 'poll' })
  const waiting = rest(own, 'GET', `${MESSAGES}?channel=orders`)
  standIn.ui().upload({ publicId: 'a' })
  const { body } = await waiting
  const [message] = body.messages as [Message]
  t.match(message, { payload: { notification_type: 'upload', public_id: 'a' }, timestamp: '1700000000' })
  const bytes = Buffer.from(message.signed_payload, 'base64url')
  const digest = createHash('sha1').update(bytes).update('1700000000').update('own-secret').digest('hex')
  t.equal(message.signature, digest)
  t.match(standIn.deliveries, [{ url: 'poll://orders', outcome: 'buffered', notificationType: 'upload' }])
  t.strictSame((await rest(own, 'GET', `${MESSAGES}?channel=orders&wait_seconds=0`)).body, {})
  const handles = { receipt_handles: [message.receipt_handle, 'other'] }
  t.match(await rest(own, 'POST', `${MESSAGES}/ack`, handles), {
    status: 200,
    body: { results: [{ receipt_handle: message.receipt_handle, status: 'acked' }, { status: 'not_found' }] }
  })
  t.equal(standIn.cloud().channels.size('orders'), 0)
  t.strictSame(standIn.calls.map(({ action }) => action).sort(), [
    'ack_notifications',
    'create_trigger',
    'notifications',
    'notifications'
  ])
})

t.test('refuses parameters beyond their limits, and calls without a key', async (t) => {
  const { own } = await connect(t)
  for (const query of [
    '',
    '?batch_id=1',
    '?channel=a&max_messages=0',
    '?channel=a&max_messages=101',
    '?channel=a&wait_seconds=61',
    '?channel=a&wait_seconds=x',
    '?channel=a&visibility_timeout=0.5'
  ]) {
    t.equal((await rest(own, 'GET', `${MESSAGES}${query}`)).status, 400, query)
  }
  t.equal((await rest(own, 'POST', `${MESSAGES}/ack`)).status, 400)
  t.equal((await rest(own, 'POST', `${MESSAGES}/ack`, { receipt_handles: [] })).status, 400)
  t.equal((await rest(own, 'POST', `${MESSAGES}/ack`, { receipt_handles: Array(101).fill('a') })).status, 400)
  t.equal((await rest({ ...own, api_secret: 'x' }, 'GET', `${MESSAGES}?channel=a`)).status, 401)
  t.equal((await rest({ ...own, cloud_name: 'none' }, 'GET', `${MESSAGES}?channel=a`)).status, 401)
})

t.test('a caller that disconnects receives nothing', async (t) => {
  const { standIn, own } = await connect(t)
  const gone = new AbortController()
  const authorization = `Basic ${Buffer.from(`${own.api_key}:${own.api_secret}`).toString('base64')}`
  const url = `${own.upload_prefix}/v2/notifications/${own.cloud_name}/messages?channel=orders&wait_seconds=60`
  const waiting = fetch(url, { headers: { authorization }, signal: gone.signal })
  while (standIn.calls.length === 0) await new Promise(setImmediate)
  gone.abort()
  await t.rejects(waiting, { name: 'AbortError' })
  await standIn.called(({ action }) => action === 'notifications')
  await rest(own, 'POST', TRIGGERS, { uri: 'poll://orders', event_type: 'all', uri_type: 'poll' })
  standIn.ui().upload({ publicId: 'a' })
  await standIn.idle()
  t.match(await rest(own, 'GET', `${MESSAGES}?channel=orders&wait_seconds=0`), { body: { messages: [{}] } })
})
