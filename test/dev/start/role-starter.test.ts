import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { onEachLine } from '../../../dev/start/read-lines.ts'
import { RoleStarter } from '../../../dev/start/role-starter.ts'
import { COVERED } from '../../support/role.ts'
import { configFile, exited, FAKE_ROLE, logLines } from './fixtures.ts'

function build(t: Test, config = '') {
  const { environment, write } = configFile(t, config)
  const log = logLines()
  const roles = new RoleStarter({ program: FAKE_ROLE, environment: () => environment, onLine: log.add })
  t.teardown(() => roles.stop())
  return { roles, write, ...log }
}

t.test('restarts and reports a role that crashes after it was ready', async (t) => {
  const { roles, of, until } = build(t)
  const [role, ready] = await roles.start('worker')
  t.match(ready, { pid: role.pid })
  process.kill(role.pid!, 'SIGKILL')
  await until(() => of('worker is ready').length === 2)
  t.match(of('worker exited; restarting'), [{ level: 'error', signal: 'SIGKILL' }])
})

t.test('rejects, without a restart, when a role exits before it is ready', async (t) => {
  const { roles, lines } = build(t, '// worker fails')
  await t.rejects(roles.startAll('worker', 1), { message: 'worker exited (exit code 1)' })
  t.match(lines, [{ code: 'START_FAILED' }])
})

t.test('started quietly, puts the fatal line into the error and drops the lines', async (t) => {
  const { roles, lines, write, of } = build(t, '// worker fails')
  await t.rejects(roles.startAll('worker', 2, 'quietly'), { message: 'start failed: no connection' })
  t.strictSame(lines, [])
  write('')
  const [role] = await roles.startAll('worker', 1, 'quietly')
  t.match(of('worker is ready'), [{ pid: role!.pid }], 'reports them once it is ready')
})

t.test('started quietly, falls back to the exit code', async (t) => {
  const roles = new RoleStarter({
    program: 'no-such-program.ts',
    environment: () => ({}),
    onLine: () => {}
  })
  t.teardown(() => roles.stop())
  await t.rejects(roles.startAll('worker', 1, 'quietly'), { message: 'worker exited (exit code 1)' })
})

t.test('stops the others when one of several does not become ready', async (t) => {
  const { add, of } = logLines()
  const { environment } = configFile(t)
  const broken = `${t.testdirName}/broken.ts`
  writeFileSync(broken, '// worker fails')
  let starts = 0
  const roles = new RoleStarter({
    program: FAKE_ROLE,
    environment: () => ({
      ...environment,
      LISTENER_CONFIG: starts++ === 0 ? environment.LISTENER_CONFIG : broken
    }),
    onLine: add
  })
  t.teardown(() => roles.stop())
  await t.rejects(roles.startAll('worker', 2), { message: 'worker exited (exit code 1)' })
  const [ready] = of('worker is ready')
  await exited(Number(ready?.pid))
})

t.test('no role outlives the process that started it', async (t) => {
  const script = `
    import { RoleStarter } from ${JSON.stringify(import.meta.resolve('../../../dev/start/role-starter.ts'))}
    const roles = new RoleStarter({ program: '${FAKE_ROLE}', environment: () => process.env, onLine: () => {} })
    const [role] = await roles.start('worker')
    console.log(role.pid)
    process.stdin.once('data', () => process.exit(3))`
  const { environment } = configFile(t)
  for (const end of ['exit', 'SIGKILL'] as const) {
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      env: { ...environment, ...(end === 'exit' && COVERED) },
      stdio: ['pipe', 'pipe', 'inherit']
    })
    t.teardown(() => parent.kill('SIGKILL'))
    const pid = await new Promise<number>((resolve) =>
      onEachLine(parent.stdout, (line) => resolve(Number(line)))
    )
    const ended = once(parent, 'exit')
    if (end === 'exit') parent.stdin.write('now')
    else parent.kill(end)
    await ended
    await exited(pid)
    t.pass(end)
  }
})
