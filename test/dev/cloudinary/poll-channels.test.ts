import t from 'tap'
import { PollChannels, type ReceiveOptions } from '../../../dev/cloudinary/poll-channels.ts'

const message = (text: string) => ({ body: Buffer.from(text), signature: 'abc', timestamp: '1700000000' })

/** Channels with a clock that the test moves, and a receive that does not wait. */
function build() {
  const channels = new PollChannels()
  const time = { now: 0 }
  const receive = (options: Partial<ReceiveOptions> = {}) =>
    channels.receive('orders', {
      maxMessages: 10,
      waitMs: 0,
      visibilityMs: 30_000,
      clock: () => time.now,
      signal: new AbortController().signal,
      ...options
    })
  return { channels, time, receive }
}

t.test('a message has its exact bytes in base64url, its signature and a receipt handle', async (t) => {
  const { channels, receive } = build()
  channels.push('orders', message('{"a" : "?>~é"}'))
  channels.push('orders', message('no JSON'))
  const [first, second] = await receive()
  t.match(first, {
    payload: { a: '?>~é' },
    signature: 'abc',
    timestamp: '1700000000',
    receipt_handle: /^[0-9a-f]{32}$/
  })
  t.match(first?.signed_payload, /^[\w-]+$/)
  t.equal(Buffer.from(first?.signed_payload ?? '', 'base64url').toString(), '{"a" : "?>~é"}')
  t.equal(second?.payload, null)
})

t.test('hides a received message until its visibility timeout, then redelivers it', async (t) => {
  const { channels, time, receive } = build()
  channels.push('orders', message('1'))
  const [first] = await receive()
  t.strictSame(await receive(), [])
  time.now = 30_000
  const [again] = await receive()
  t.equal(again?.signed_payload, first?.signed_payload)
  t.notOk(channels.acknowledge(first!.receipt_handle), 'an earlier receipt handle acknowledges nothing')
  t.ok(channels.acknowledge(again!.receipt_handle))
  t.equal(channels.size('orders'), 0)
  t.notOk(channels.acknowledge(again!.receipt_handle))
})

t.test('receives at most the requested number, oldest first, and nothing from another channel', async (t) => {
  const { channels, receive } = build()
  for (const text of ['1', '2', '3']) channels.push('orders', message(text))
  channels.push('other', message('4'))
  t.match(await receive({ maxMessages: 2 }), [{ payload: 1 }, { payload: 2 }])
  t.match(await receive({ maxMessages: 2 }), [{ payload: 3 }])
  t.equal(channels.size('other'), 1)
  t.equal(channels.size('none'), 0)
})

t.test('a wait ends with a message, at its time-out or when it is aborted', async (t) => {
  const { channels, receive } = build()
  const waiting = receive({ waitMs: 60_000 })
  channels.push('orders', message('1'))
  t.match(await waiting, [{ payload: 1 }])
  const startedAt = performance.now()
  t.strictSame(await receive({ waitMs: 20, clock: () => performance.now() - startedAt }), [])
  const disconnected = new AbortController()
  const left = receive({ waitMs: 60_000, signal: disconnected.signal })
  disconnected.abort()
  t.strictSame(await left, [])
})

t.test('a waiting caller receives a message that becomes visible again', async (t) => {
  const { channels, receive } = build()
  const clock = () => performance.now()
  channels.push('orders', message('1'))
  await receive({ clock, visibilityMs: 20 })
  t.match(await receive({ clock, waitMs: 60_000 }), [{ payload: 1 }])
})
