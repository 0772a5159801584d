import t from 'tap'
import { acknowledge, fetchMessages } from '../../../app/cloudinary/poll-channel.ts'
import { buildCloudinary } from '../../support/cloudinary.ts'

const FETCH = { channel: 'orders', maxMessages: 10, waitSeconds: 0, visibilitySeconds: 30 }

t.test('messages are fetched, hidden from then on, and acknowledged', async (t) => {
  const { clients, cloudinary } = await buildCloudinary(t)
  const client = clients.for('demo', new AbortController().signal)
  cloudinary.cloud().triggers.create({ uri: 'poll://orders', event_type: 'all', uri_type: 'poll' }, 0)
  t.strictSame(await fetchMessages(client, FETCH), [])
  cloudinary.as().upload({ publicId: 'a' })
  const [message] = await fetchMessages(client, { ...FETCH, waitSeconds: 20 })
  t.match(JSON.parse(Buffer.from(message?.signed_payload ?? '', 'base64url').toString()), { public_id: 'a' })
  t.match(message, { signature: /^[0-9a-f]{40}$/, timestamp: /^\d{10}$/ })
  t.strictSame(await fetchMessages(client, FETCH), [])
  await acknowledge(client, [message?.receipt_handle ?? ''])
  t.equal(cloudinary.cloud().channels.size('orders'), 0)
  t.match(cloudinary.calls.find(({ action }) => action === 'notifications')?.params, {
    channel: 'orders',
    max_messages: '10',
    wait_seconds: '0',
    visibility_timeout: '30'
  })
})

t.test('as many are acknowledged in a call as Cloudinary takes', async (t) => {
  const { clients, cloudinary } = await buildCloudinary(t)
  const client = clients.for('demo', new AbortController().signal)
  await acknowledge(
    client,
    Array.from({ length: 101 }, (_, index) => `handle-${index}`)
  )
  t.strictSame(
    cloudinary.calls.map(({ params }) => (params.receipt_handles as string[]).length),
    [100, 1]
  )
  await acknowledge(client, [])
  t.equal(cloudinary.calls.length, 2)
})
