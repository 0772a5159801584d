import t, { type Test } from 'tap'
import { RoleProcess, type RoleProcessOptions } from '../../../dev/start/role-process.ts'
import { configFile, FAKE_ROLE, logLines } from './fixtures.ts'

/** A role with awaitable lines and crashes. By default it crashes at once. */
function start(
  t: Test,
  { fails = true, ...options }: Partial<RoleProcessOptions> & { fails?: boolean } = {}
) {
  const { lines, add, wake, until } = logLines()
  const crashes: Parameters<RoleProcessOptions['onCrash']>[0][] = []
  const role = new RoleProcess({
    role: 'worker',
    program: FAKE_ROLE,
    shortLifeMs: 60_000,
    environment: configFile(t, fails ? '// worker fails' : '').environment,
    onLine: add,
    onCrash: (crash) => {
      crashes.push(crash)
      wake()
    },
    ...options
  })
  t.teardown(() => role.stop())
  return { role, lines, crashes, until }
}

t.test('restarts a role that crashes early, with increasing delay', async (t) => {
  const { role, lines, crashes, until } = start(t)
  await until(() => crashes.length === 2)
  t.match(crashes, [
    { code: 1, signal: null, delayMs: 500 },
    { code: 1, signal: null, delayMs: 1000 }
  ])
  for (const line of lines) t.match(line, { role: 'worker', code: 'START_FAILED' })
  await role.stop()
  t.equal(crashes.length, 2, 'a stop during the delay prevents the restart')
})

t.test('restarts a role that ran long enough without delay', async (t) => {
  const { crashes, until } = start(t, { shortLifeMs: 0 })
  await until(() => crashes.length === 2)
  t.match(crashes, [{ delayMs: 0 }, { delayMs: 0 }])
})

t.test('runs app/main.ts by default, and reports output that is not JSON as a message', async (t) => {
  const { lines, until } = start(t, { program: undefined, role: 'no-such-role' })
  await until(() => lines.length > 0)
  t.match(lines[0], { role: 'no-such-role', msg: /no-such-role/ })
})

t.test('does not restart a crashed role after kill', async (t) => {
  const { role, crashes, until } = start(t)
  await until(() => crashes.length === 1)
  const { pid } = role
  role.kill()
  await role.stop()
  t.equal(role.pid, pid)
})

t.test('can be stopped by the handler of a crash', async (t) => {
  const crashed = Promise.withResolvers<void>()
  const { role } = start(t, {
    onCrash: () => {
      void role.stop()
      crashed.resolve()
    }
  })
  const { pid } = role
  await crashed.promise
  await role.stop()
  t.equal(role.pid, pid)
})

t.test('stops a role without a restart', async (t) => {
  const { role, lines, crashes, until } = start(t, { fails: false })
  await until(() => lines.some(({ msg }) => msg === 'worker is ready'))
  t.ok(lines.some(({ msg }) => msg === 'not from the logger'))
  await role.stop()
  await role.stop()
  t.strictSame(crashes, [])
  await until(() => lines.some(({ msg }) => msg === 'stopped'))
})
