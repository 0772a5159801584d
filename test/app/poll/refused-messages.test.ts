import t from 'tap'
import { RefusedMessages } from '../../../app/poll/refused-messages.ts'

const message = (text: string) => ({ signed_payload: text, signature: 'abc', timestamp: '1700000000' })

t.test('a refused message is new, then known, and expires after a day', (t) => {
  let now = 0
  const refusedMessages = new RefusedMessages({ clock: () => now })
  t.equal(refusedMessages.record({ ...message('a'), receipt_handle: '1' }), 'new')
  now = 86_399_999
  t.equal(refusedMessages.record({ ...message('a'), receipt_handle: '2' }), 'known')
  t.equal(refusedMessages.record(message('b')), 'new')
  now = 86_400_000
  t.equal(refusedMessages.record(message('a')), 'expired')
  t.equal(refusedMessages.record(message('a')), 'new', 'was forgotten')
  t.end()
})

t.test('forgets a message that verifies', (t) => {
  const refusedMessages = new RefusedMessages({ clock: () => 0 })
  refusedMessages.forget(message('a'))
  refusedMessages.record(message('a'))
  refusedMessages.forget(message('a'))
  t.equal(refusedMessages.record(message('a')), 'new')
  t.end()
})

t.test('remembers the latest messages up to the limit', (t) => {
  const refusedMessages = new RefusedMessages({ clock: () => 0, limit: 2 })
  for (const text of ['a', 'b', 'c']) t.equal(refusedMessages.record(message(text)), 'new')
  t.equal(refusedMessages.record(message('c')), 'known')
  t.equal(refusedMessages.record(message('b')), 'known')
  t.equal(refusedMessages.record(message('a')), 'new')
  t.end()
})
