import t from 'tap'
import { Refusals } from '../../../app/poll/refused-messages.ts'

const message = (text: string) => ({ signed_payload: text, signature: 'abc', timestamp: '1700000000' })

t.test('a message is refused for the first time, again, and after a day once too often', (t) => {
  let now = 0
  const refusals = new Refusals({ clock: () => now })
  t.equal(refusals.judge({ ...message('a'), receipt_handle: '1' }), 'new')
  now = 86_399_999
  t.equal(refusals.judge({ ...message('a'), receipt_handle: '2' }), 'known')
  t.equal(refusals.judge(message('b')), 'new')
  now = 86_400_000
  t.equal(refusals.judge(message('a')), 'over')
  t.equal(refusals.judge(message('a')), 'new', 'it was forgotten')
  t.end()
})

t.test('a message that verifies after all is forgotten', (t) => {
  const refusals = new Refusals({ clock: () => 0 })
  refusals.forget(message('a'))
  refusals.judge(message('a'))
  refusals.forget(message('a'))
  t.equal(refusals.judge(message('a')), 'new')
  t.end()
})

t.test('no more than so many are remembered, the latest', (t) => {
  const refusals = new Refusals({ clock: () => 0, limit: 2 })
  for (const text of ['a', 'b', 'c']) t.equal(refusals.judge(message(text)), 'new')
  t.equal(refusals.judge(message('c')), 'known')
  t.equal(refusals.judge(message('b')), 'known')
  t.equal(refusals.judge(message('a')), 'new')
  t.end()
})
