import t from 'tap'
import { messageId } from '../../../app/processors/message-id.ts'

const id = '0123456789abcdef0123456789abcdef'

t.test('changes only for a replay', async (t) => {
  t.equal(messageId({ id }, 'forward'), `${id}:forward`)
  t.equal(messageId({ id, run: { kind: 'redrive', id: 'r1' } }, 'forward'), `${id}:forward`)
  t.equal(messageId({ id, run: { kind: 'replay', id: 'r2' } }, 'forward'), `${id}:forward:r2`)
  t.equal(messageId({ id, run: { kind: 'redrive', id: 'r3', replay: 'r2' } }, 'forward'), `${id}:forward:r2`)
})

t.test('differs per processor, without full stops', async (t) => {
  t.equal(messageId({ id }, 'to.the-dam'), `${id}:to~the-dam`)
})

t.test('fits into the limit of SNS', async (t) => {
  t.ok(messageId({ id, run: { kind: 'replay', id: 'a1b2c3d4' } }, 'n'.repeat(64)).length <= 128)
})
