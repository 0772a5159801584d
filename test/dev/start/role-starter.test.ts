import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { onEachLine } from '../../../dev/start/read-lines.ts'
import type { LogLine } from '../../../dev/start/role-process.ts'
import { RoleStarter } from '../../../dev/start/role-starter.ts'
import { CHILD_ENVIRONMENT } from '../../support/system.ts'

/** What a worker needs to become ready; what it is on is not there. */
const NOWHERE = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:9',
  QUEUE_URL: 'http://127.0.0.1:9/0/q.fifo',
  DEAD_LETTER_QUEUE_URL: 'http://127.0.0.1:9/0/d.fifo',
  JOURNAL_TABLE: 'journal',
  CLOUDINARY_URL: 'cloudinary://key:secret@demo'
}

function build(t: Test, variables: Record<string, string> = NOWHERE) {
  const lines: LogLine[] = []
  let wake = () => {}
  const environment = { ...CHILD_ENVIRONMENT, ...variables }
  const roles = new RoleStarter({
    environment: () => environment,
    onLine: (line) => {
      lines.push(line)
      wake()
    }
  })
  t.teardown(() => roles.stop())
  const until = async (reached: () => boolean) => {
    while (!reached()) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return { roles, lines, environment, until }
}

t.test('a role that dies once it was ready is started again, and that is said', async (t) => {
  const { roles, lines, until } = build(t)
  const [child, ready] = await roles.start('worker')
  t.match(ready, { msg: 'worker is ready' })
  process.kill(child.pid!, 'SIGKILL')
  await until(() => lines.filter(({ msg }) => msg === 'worker is ready').length === 2)
  t.match(
    lines.find(({ msg }) => msg === 'worker has ended; starting it again'),
    { signal: 'SIGKILL' }
  )
})

t.test('a role that ends before it is ready is not started again; its own lines say why', async (t) => {
  const { roles, lines } = build(t, {})
  await t.rejects(roles.startAll('worker', 1), { message: 'worker has ended (exit code 1)' })
  t.ok(lines.length > 0)
  for (const line of lines) t.match(line, { code: 'CONFIG_INVALID' })
})

t.test('those that are started quietly say why they do not become ready, in one line', async (t) => {
  const { roles, lines, environment } = build(t)
  const throwing = t.testdir({
    'config.mjs': `const start = () => { throw new Error('no\\n  connection') }
      export default { processors: [{ name: 'mine', on: ['*'], handle() {}, start }] }`
  })
  Object.assign(environment, { LISTENER_CONFIG: `${throwing}/config.mjs` })
  await t.rejects(roles.startAll('worker', 2, 'quietly'), { message: /^[^\n]*: no connection$/ })
  t.strictSame(lines, [])
  await t.rejects(roles.startAll('nosuch', 1, 'quietly'), { message: 'nosuch has ended (exit code 2)' })
})

t.test('where one of several does not become ready, the others are stopped', async (t) => {
  const { roles, lines, environment } = build(t)
  let starts = 0
  const uneven = new RoleStarter({
    environment: () => (starts++ === 0 ? environment : CHILD_ENVIRONMENT),
    onLine: (line) => lines.push(line)
  })
  t.teardown(() => uneven.stop())
  await t.rejects(uneven.startAll('worker', 2), { message: 'worker has ended (exit code 1)' })
  t.ok(lines.some(({ msg }) => msg === 'stopped'))
  const [child] = await roles.startAll('worker', 1, 'quietly')
  t.ok(
    lines.some(({ msg }) => msg === 'worker is ready'),
    'what was held back is then said'
  )
  t.type(child!.pid, 'number')
})

t.test('none outlives the process that started it, however that ends', async (t) => {
  const script = `
    import { RoleStarter } from ${JSON.stringify(import.meta.resolve('../../../dev/start/role-starter.ts'))}
    const roles = new RoleStarter({ environment: () => process.env, onLine: () => {} })
    const [child] = await roles.start('worker')
    console.log(child.pid)
    process.stdin.once('data', () => process.exit(3))`
  for (const end of ['exit', 'SIGKILL'] as const) {
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      env: { ...CHILD_ENVIRONMENT, ...NOWHERE },
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
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 10))
    t.pass(`it has ended after ${end}`)
  }
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
