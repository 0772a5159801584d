import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { ATTACHED } from '../../../dev/start/role-process.ts'
import { COVERED } from '../../support/role.ts'
import { CHILD_ENVIRONMENT } from '../../support/system.ts'

t.test('a process ends when the channel to its parent closes, whatever it does', async (t) => {
  const child = spawn(
    process.execPath,
    [...ATTACHED, '--eval', "setInterval(() => {}, 1000); process.send('up')"],
    { env: { ...CHILD_ENVIRONMENT, ...COVERED }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }
  )
  t.teardown(() => child.kill('SIGKILL'))
  await once(child, 'message')
  const ended = once(child, 'exit')
  child.disconnect()
  t.strictSame(await ended, [1, null])
})

t.test('a process that has nothing more to do does not wait for its parent', async (t) => {
  const child = spawn(process.execPath, [...ATTACHED, '--eval', ''], {
    env: { ...CHILD_ENVIRONMENT, ...COVERED },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc']
  })
  t.teardown(() => child.kill('SIGKILL'))
  t.strictSame(await once(child, 'exit'), [0, null])
})
