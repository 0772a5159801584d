import { userInfo } from 'node:os'
import t from 'tap'
import { commandOrigin } from '../../../app/commands/command-origin.ts'

t.test('names the user of the operating system, if it has a name', (t) => {
  const at = '2026-06-01T12:00:00.000Z'
  const clock = () => Date.parse(at)
  t.strictSame(commandOrigin(undefined, clock), { by: userInfo().username, at, from: 'command' })
  const nameless = () => {
    throw new Error('ENOENT')
  }
  t.strictSame(commandOrigin(nameless, clock), { by: 'operator', at, from: 'command' })
  t.match(commandOrigin(), { from: 'command' })
  t.end()
})
