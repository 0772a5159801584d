import t from 'tap'
import { createLogFormat } from '../../dev/log-format.ts'

const line = {
  level: 'info',
  time: '2026-11-27T14:42:17.068Z',
  role: 'web',
  events: 1,
  msg: 'notification accepted'
}

t.test('formats time, level, role, message and fields on one line', async (t) => {
  const format = createLogFormat({ colors: false })
  const text = '[14:42:17.068] INFO: web: notification accepted {"events":1}\n'
  t.equal(format(line), text)
  t.equal(format(JSON.stringify(line)), text)
  t.equal(format('not from the logger'), 'not from the logger\n')
})

t.test('adds colours on demand', async (t) => {
  t.match(createLogFormat({ colors: true })(line), '\u001b[32mINFO')
})
