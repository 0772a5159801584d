import t from 'tap'
import { type Claim, PollChannels } from '../../../dev/cloudinary/poll-channels.ts'

const message = (text: string) => ({ body: Buffer.from(text), signature: 'abc', timestamp: '1700000000' })

/** Channels with a clock that stands still, and a claim on one of them that does not wait. */
function build() {
  const channels = new PollChannels()
  const time = { now: 0 }
  const claim = (options: Partial<Claim> = {}) =>
    channels.claim('orders', {
      maxMessages: 10,
      waitMs: 0,
      visibilityMs: 30_000,
      clock: () => time.now,
      signal: new AbortController().signal,
      ...options
    })
  return { channels, time, claim }
}

t.test('a message carries the exact bytes in base64url, its signature, and a receipt handle', async (t) => {
  const { channels, claim } = build()
  channels.push('orders', message('{"a" : "?>~é"}'))
  channels.push('orders', message('no JSON'))
  const [first, second] = await claim()
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

t.test('what was handed out is hidden for a time, then handed out again', async (t) => {
  const { channels, time, claim } = build()
  channels.push('orders', message('1'))
  const [first] = await claim()
  t.strictSame(await claim(), [])
  time.now = 30_000
  const [again] = await claim()
  t.equal(again?.signed_payload, first?.signed_payload)
  t.notOk(channels.acknowledge(first!.receipt_handle), 'the handle of an earlier time is worth nothing')
  t.ok(channels.acknowledge(again!.receipt_handle))
  t.equal(channels.size('orders'), 0)
  t.notOk(channels.acknowledge(again!.receipt_handle))
})

t.test(
  'no more is handed out than asked for, the oldest first, and nothing of another channel',
  async (t) => {
    const { channels, claim } = build()
    for (const text of ['1', '2', '3']) channels.push('orders', message(text))
    channels.push('other', message('4'))
    t.match(await claim({ maxMessages: 2 }), [{ payload: 1 }, { payload: 2 }])
    t.match(await claim({ maxMessages: 2 }), [{ payload: 3 }])
    t.equal(channels.size('other'), 1)
    t.equal(channels.size('none'), 0)
  }
)

t.test('who waits is woken by a message, by the end of its time, or when it goes', async (t) => {
  const { channels, claim } = build()
  const waiting = claim({ waitMs: 60_000 })
  channels.push('orders', message('1'))
  t.match(await waiting, [{ payload: 1 }])
  const startedAt = performance.now()
  t.strictSame(await claim({ waitMs: 20, clock: () => performance.now() - startedAt }), [])
  const gone = new AbortController()
  const left = claim({ waitMs: 60_000, signal: gone.signal })
  gone.abort()
  t.strictSame(await left, [])
})

t.test('who waits gets what becomes visible again', async (t) => {
  const { channels, claim } = build()
  const clock = () => performance.now()
  channels.push('orders', message('1'))
  await claim({ clock, visibilityMs: 20 })
  t.match(await claim({ clock, waitMs: 60_000 }), [{ payload: 1 }])
})
