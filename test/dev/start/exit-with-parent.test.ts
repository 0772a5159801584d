import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { EXIT_WITH_PARENT } from '../../../dev/start/role-process.ts'
import { COVERED } from '../../support/role.ts'
import { CHILD_ENVIRONMENT } from '../../support/system.ts'

t.test('exits when the channel to the parent closes', async (t) => {
  const child = spawn(
    process.execPath,
    [...EXIT_WITH_PARENT, '--eval', "setInterval(() => {}, 1000); process.send('up')"],
    { env: { ...CHILD_ENVIRONMENT, ...COVERED }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }
  )
  t.teardown(() => child.kill('SIGKILL'))
  await once(child, 'message')
  const ended = once(child, 'exit')
  child.disconnect()
  t.strictSame(await ended, [1, null])
})

t.test('does not keep a finished process alive', async (t) => {
  const child = spawn(process.execPath, [...EXIT_WITH_PARENT, '--eval', ''], {
    env: { ...CHILD_ENVIRONMENT, ...COVERED },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc']
  })
  t.teardown(() => child.kill('SIGKILL'))
  t.strictSame(await once(child, 'exit'), [0, null])
})
