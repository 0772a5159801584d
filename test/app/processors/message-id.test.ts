import t from 'tap'
import { messageId } from '../../../app/processors/message-id.ts'

const id = '0123456789abcdef0123456789abcdef'

t.test('every try, and a redrive, has the same id; a replay, and a redrive of it, has another', async (t) => {
  t.equal(messageId({ id }, 'forward'), `${id}:forward`)
  t.equal(messageId({ id, run: { kind: 'redrive', id: 'r1' } }, 'forward'), `${id}:forward`)
  t.equal(messageId({ id, run: { kind: 'replay', id: 'r2' } }, 'forward'), `${id}:forward:r2`)
  t.equal(messageId({ id, run: { kind: 'redrive', id: 'r3', replay: 'r2' } }, 'forward'), `${id}:forward:r2`)
})

t.test('processors are told apart, with no full stop', async (t) => {
  t.equal(messageId({ id }, 'to.the-dam'), `${id}:to~the-dam`)
})

t.test('the longest is one that SNS takes', async (t) => {
  t.ok(messageId({ id, run: { kind: 'replay', id: 'a1b2c3d4' } }, 'n'.repeat(64)).length <= 128)
})
