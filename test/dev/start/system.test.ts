import t, { type Test } from 'tap'
import { inspectConfigFile } from '../../../dev/start/inspect-config.ts'
import type { ServiceProvider } from '../../../dev/start/provided-service.ts'
import type { LogLine, RoleProcess } from '../../../dev/start/role-process.ts'
import type { RoleStarter } from '../../../dev/start/role-starter.ts'
import { type SystemOptions, startSystem } from '../../../dev/start/system.ts'
import { freePort } from '../../support/system.ts'
import { configFile, exited, FAKE_ROLE, isAlive, logLines } from './fixtures.ts'

interface Given {
  environment?: Record<string, string>
  /** Text of the configuration. */
  config?: string
  /** Variables that its processors require. */
  requires?: string[]
}

/** A system of roles that do nothing; `environmentOf` returns what a role was started with. */
async function start(
  t: Test,
  { environment = {}, config = '', requires = [] }: Given,
  options: Partial<SystemOptions> = {}
) {
  const { path, write, environment: base } = configFile(t, config)
  const log = logLines()
  const system = await startSystem({
    environment: { ...base, ...environment },
    onLine: log.add,
    program: FAKE_ROLE,
    inspect: async () => ({
      outcome: 'loaded',
      schedules: [],
      processors: [{ name: 'mine', requires, examples: {} }],
      files: [path]
    }),
    ...options
  })
  t.teardown(() => system.stop())
  const environmentOf = (role: string) =>
    log.of(`${role} is ready`).at(-1)?.environment as Record<string, string>
  return { system, path, write, environmentOf, ...log }
}

/** Instead of processes, records the environment of each role, and logs that it is ready. */
const inProcess: SystemOptions['createRoles'] = ({ environment, onLine }) => {
  const start: RoleStarter['start'] = async (role) => {
    const ready: LogLine = { role, msg: `${role} is ready`, environment: environment() }
    if (role === 'web') ready.webhook = 'http://127.0.0.1:9/webhooks/cloudinary'
    onLine(ready)
    return [{ pid: undefined } as RoleProcess, ready]
  }
  return {
    start,
    startAll: async (role) => [(await start(role))[0]],
    stop: async () => {}
  }
}

t.test('starts the stand-ins and the roles, and points the roles to the stand-ins', async (t) => {
  const PORT = String(await freePort())
  const { system, of, until, environmentOf } = await start(
    t,
    { environment: { PORT, POLL_CHANNEL: 'orders' } },
    { workers: 2, activityPassword: 'local-activity' }
  )
  t.equal(system.workers.length, 2)
  t.equal(of('worker is ready').length, 2)
  t.equal(of('poll is ready').length, 1)
  t.equal(system.webhookUrl, 'http://127.0.0.1:9/webhooks/cloudinary')
  t.match(environmentOf('worker'), system.embedded)
  t.match(system.embedded, {
    CLOUDINARY_URL: /^cloudinary:/,
    QUEUE_URL: system.sqs?.queueUrl,
    JOURNAL_TABLE: system.dynamoDb?.tableName,
    AWS_ACCESS_KEY_ID: 'local',
    WEBHOOK_URL: `http://127.0.0.1:${PORT}/webhooks/cloudinary`
  })
  t.notHas(system.embedded, { FORWARD_SECRET: /./ }, 'not required')

  const activity = environmentOf('activity')
  t.ok(Number(activity.PORT) > Number(new URL(system.webhookUrl).port), 'the next free port after web')
  t.equal(system.activityUrl, `http://127.0.0.1:${activity.PORT}/activity`)
  t.equal(activity.ACTIVITY_PASSWORD, 'local-activity')
  t.equal(environmentOf('web').ACTIVITY_PASSWORD, undefined)
  process.kill(Number(of('activity is ready')[0]?.pid), 'SIGKILL')
  await until(() => of('activity is ready').length === 2)
  t.equal(environmentOf('activity').PORT, activity.PORT, 'keeps its address when it restarts')

  await system.atRest()
  const pids = [system.web, ...system.workers].map(({ pid }) => Number(pid))
  pids.push(Number(of('activity is ready')[1]?.pid))
  await system.stop()
  t.notOk(pids.some(isAlive))
})

t.test('uses the Cloudinary, the queues and the journal of the environment', async (t) => {
  const own = {
    CLOUDINARY_URL: 'cloudinary://key:secret@mine',
    QUEUE_URL: 'http://127.0.0.1:9/0/q.fifo',
    DEAD_LETTER_QUEUE_URL: 'http://127.0.0.1:9/0/d.fifo',
    JOURNAL_TABLE: 'mine'
  }
  const { system, environmentOf } = await start(t, { environment: own }, { createRoles: inProcess })
  t.strictSame([system.cloudinary, system.sqs, system.dynamoDb], [undefined, undefined, undefined])
  t.equal(system.activityUrl, undefined)
  t.strictSame(system.embedded, {})
  t.match(environmentOf('web'), own)
})

t.test(
  'keeps the credentials of the environment where only the queue or only the journal is embedded',
  async (t) => {
    const AWS = { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'me', AWS_SECRET_ACCESS_KEY: 'mine' }
    const owned: Record<string, string>[] = [
      { QUEUE_URL: 'http://127.0.0.1:9/0/q.fifo' },
      { JOURNAL_TABLE: 'mine' }
    ]
    for (const own of owned) {
      const { system, environmentOf } = await start(
        t,
        { environment: { ...AWS, ...own } },
        { createRoles: inProcess }
      )
      t.equal(system.sqs === undefined, 'QUEUE_URL' in own)
      t.equal(system.dynamoDb === undefined, 'JOURNAL_TABLE' in own)
      t.match(environmentOf('worker'), { ...AWS, ...own, ...system.embedded })
      await system.stop()
    }
  }
)

t.test('embeds what processors require, on a given port, and can reroute the roles', async (t) => {
  const cloudinaryPort = await freePort()
  const { system, environmentOf } = await start(
    t,
    { requires: ['FORWARD_SECRET', 'NOTIFY_TOPIC_ARN'] },
    {
      cloudinaryPort,
      createRoles: inProcess,
      reroute: async (environment) => ({ ...environment, AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:9' })
    }
  )
  t.match(system.hints.join('\n'), `curl http://127.0.0.1:${cloudinaryPort}/_standin/received`)
  t.match(environmentOf('worker'), {
    AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:9',
    AWS_ENDPOINT_URL_SNS: system.sqs?.url,
    NOTIFY_TOPIC_ARN: system.sqs?.topicArn,
    FORWARD_SECRET: /^whsec_/
  })
})

t.test('rejects invalid variables and an invalid configuration before it starts a role', async (t) => {
  for (const [variables, code] of [
    [{ PORT: 'abc' }, 'CONFIG_INVALID'],
    [{ LISTENER_CONFIG: './nowhere.ts' }, 'LISTENER_CONFIG_INVALID']
  ] as const) {
    const onLine = (line: object) => t.fail('no role has started', line)
    await t.rejects(start(t, { environment: variables }, { onLine, inspect: inspectConfigFile }), { code })
  }
})

t.test('stops everything and rejects when a role exits before it is ready', async (t) => {
  const { add, of } = logLines()
  await t.rejects(start(t, { config: '// web fails' }, { onLine: add }), { message: /^web exited/ })
  t.equal(of('start failed').length, 1)
  await exited(...of('worker is ready').map(({ pid }) => Number(pid)))
})

t.test('reloads a valid configuration, and keeps the workers otherwise', async (t) => {
  const exporting = (processor: string) =>
    `export default { processors: [{ name: 'mine', on: ['upload'], handle() {}, ${processor} }] }`
  const database: ServiceProvider = async ({ migrate }) => {
    const environment = { DATABASE_URL: 'postgres://here' }
    await migrate(environment)
    return { environment, hints: ['a database'], stop: async () => {} }
  }
  const { system, path, write, environmentOf } = await start(
    t,
    { config: exporting('') },
    { inspect: inspectConfigFile, providers: { DATABASE_URL: database } }
  )
  t.ok(system.files.includes(path))
  const before = system.workers[0]?.pid
  for (const [broken, reason] of [
    ['}} enum {', /config\.ts:1: /],
    [`// migrate fails\n${exporting("requires: ['DATABASE_URL']")}`, /^no such luck$/],
    [`// worker fails\n${exporting('')}`, /^start failed: no connection$/]
  ] as const) {
    write(broken)
    const { files, refused } = await system.reload()
    t.match(refused, reason)
    t.ok(files.includes(path))
  }
  t.equal(system.workers[0]?.pid, before)

  write(exporting("requires: ['DATABASE_URL']"))
  t.equal((await system.reload()).refused, undefined)
  t.not(system.workers[0]?.pid, before)
  t.strictSame(system.hints, ['a database'])
  t.match(system.embedded, { DATABASE_URL: 'postgres://here' })
  t.equal(environmentOf('worker').DATABASE_URL, 'postgres://here')
  await exited(Number(before))
})
