import t, { type Test } from 'tap'
import { acknowledge, fetchMessages } from '../../../app/cloudinary/poll-channel.ts'
import { buildCloudinary } from '../../support/cloudinary.ts'

const FETCH = { channel: 'orders', maxMessages: 10, waitSeconds: 0, visibilitySeconds: 30 }

t.test('fetches and acknowledges messages', async (t) => {
  const { clients, cloudinary } = await buildCloudinary(t)
  const client = clients.for('demo', new AbortController().signal)
  cloudinary.cloud().triggers.create({ uri: 'poll://orders', event_type: 'all', uri_type: 'poll' }, 0)
  t.strictSame(await fetchMessages(client, FETCH), { messages: [], invalid: 0 })
  cloudinary.as().upload({ publicId: 'a' })
  const { messages } = await fetchMessages(client, { ...FETCH, waitSeconds: 20 })
  const [message] = messages
  t.match(JSON.parse(Buffer.from(message?.signed_payload ?? '', 'base64url').toString()), { public_id: 'a' })
  t.match(message, { signature: /^[0-9a-f]{40}$/, timestamp: /^\d{10}$/ })
  t.strictSame(await fetchMessages(client, FETCH), { messages: [], invalid: 0 })
  await acknowledge(client, [message?.receipt_handle ?? ''])
  t.equal(cloudinary.cloud().channels.size('orders'), 0)
  t.match(cloudinary.calls.find(({ action }) => action === 'notifications')?.params, {
    channel: 'orders',
    max_messages: '10',
    wait_seconds: '0',
    visibility_timeout: '30'
  })
})

t.test("acknowledges in batches of Cloudinary's limit", async (t) => {
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

/** Builds a client with given responses, and records the bodies of its calls. */
async function answered(t: Test, respond: (handles: string[]) => Response) {
  const asked: string[][] = []
  t.capture(globalThis, 'fetch', async (_url: URL, { body }: RequestInit) => {
    const handles = body ? JSON.parse(String(body)).receipt_handles : []
    asked.push(handles)
    return respond(handles)
  })
  const { clients } = await buildCloudinary(t)
  return { client: clients.for('demo', new AbortController().signal), asked }
}

t.test('counts invalid elements and drops invalid fields', async (t) => {
  const elements = [null, 1, 'a', true, [], [{ signature: 'a' }], {}, { signature: null, timestamp: {} }]
  const odd = {
    signed_payload: 1,
    signature: ['a'],
    timestamp: 1_700_000_000,
    receipt_handle: '',
    more: null
  }
  const { client } = await answered(t, () => Response.json({ messages: [...elements, odd] }))
  t.strictSame(await fetchMessages(client, FETCH), {
    messages: [
      {},
      { signature: undefined, timestamp: undefined },
      { signed_payload: '1', signature: undefined, timestamp: '1700000000', receipt_handle: undefined }
    ],
    invalid: 6
  })
})

t.test('a response without messages is an empty channel; another form is an error', async (t) => {
  for (const answer of [{}, { messages: null }, { messages: [] }]) {
    const { client } = await answered(t, () => Response.json(answer))
    t.strictSame(await fetchMessages(client, FETCH), { messages: [], invalid: 0 })
  }
  for (const answer of [null, 1, 'messages', [], { messages: {} }, { messages: 'none' }]) {
    const { client } = await answered(t, () => Response.json(answer))
    await t.rejects(fetchMessages(client, FETCH), {
      code: 'CLOUDINARY_ANSWER_INVALID',
      failure: { kind: 'retryable' }
    })
  }
})

t.test('ignores the response to an acknowledgement', async (t) => {
  for (const body of ['', 'null', '<html>', '[]']) {
    const { client } = await answered(t, () => new Response(body))
    t.strictSame(await acknowledge(client, ['a']), [])
  }
})

t.test('acknowledges the other handles if Cloudinary rejects some', async (t) => {
  const acknowledged: string[] = []
  const handles = Array.from({ length: 100 }, (_, index) => `handle-${index}`)
  const bad = ['handle-0', 'handle-77']
  const { client, asked } = await answered(t, (given) => {
    if (given.some((handle) => bad.includes(handle))) return new Response('{}', { status: 400 })
    acknowledged.push(...given)
    return new Response()
  })
  t.strictSame((await acknowledge(client, handles)).toSorted(), bad)
  t.strictSame(acknowledged.toSorted(), handles.filter((handle) => !bad.includes(handle)).toSorted())
  t.ok(asked.length < 30, `${asked.length} calls`)
})

t.test('fails after few calls if Cloudinary rejects all handles or is down', async (t) => {
  const handles = Array.from({ length: 100 }, (_, index) => `handle-${index}`)
  const rejecting = await answered(t, () => new Response('{}', { status: 404 }))
  await t.rejects(acknowledge(rejecting.client, handles), { code: 'CLOUDINARY_NOT_FOUND' })
  t.ok(rejecting.asked.length < 30)
  const down = await answered(t, () => new Response('{}', { status: 503 }))
  await t.rejects(acknowledge(down.client, handles), { code: 'CLOUDINARY_UNAVAILABLE' })
  t.equal(down.asked.length, 1)
})
