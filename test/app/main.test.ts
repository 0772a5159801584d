import { once } from 'node:events'
import { createServer } from 'node:http'
import { SQSClient } from '@aws-sdk/client-sqs'
import t from 'tap'
import { COMMANDS } from '../../app/commands/commands.ts'
import { inspectConfig, readConfig } from '../../app/config.ts'
import { NO_METRICS } from '../../app/metrics/metrics.ts'
import { helloWorldTag } from '../../app/processors/hello-world-tag.ts'
import { EventSender } from '../../app/queue/event-sender.ts'
import { LOCAL_CLOUDINARY } from '../../app/testing/defaults.ts'
import { startSqs } from '../../dev/embedded-sqs.ts'
import { startSecretsManager } from '../../dev/secrets-manager.ts'
import { startStandIns } from '../../dev/stand-ins.ts'
import { runHere, withEnvironment } from '../support/commands.ts'
import { buildListener } from '../support/listener.ts'
import { eventOf, QUIET } from '../support/operator.ts'
import { COVERED, runRole } from '../support/role.ts'
import { ROLES } from '../support/roles.ts'
import { hold, startSqsFake } from '../support/sqs-fake.ts'

// starts many processes, on a machine that may be busy
t.setTimeout(180_000)

const { cloudName, apiKey, apiSecret } = LOCAL_CLOUDINARY
const CLOUDINARY_URL = `cloudinary://${apiKey}:${apiSecret}@${cloudName}`

/** The variables that roles require, with unreachable values. */
const NOWHERE = {
  QUEUE_URL: 'http://127.0.0.1:9/0/q.fifo',
  DEAD_LETTER_QUEUE_URL: 'http://127.0.0.1:9/0/d.fifo',
  JOURNAL_TABLE: 'journal'
}

const startHere = (name: string, environment: Record<string, string>) =>
  withEnvironment({ ...NOWHERE, ...environment }, async () => {
    const role = ROLES[name]!
    return role.start({
      config: readConfig(role.requires),
      listener: { processors: [] },
      log: QUIET,
      metrics: NO_METRICS,
      activity: undefined
    })
  })

t.test('prints the usage, and exits 2 for wrong arguments', async (t) => {
  for (const [args, exitCode] of [
    [['constructor', 'x'], 2],
    [['redrive', '--bogus'], 2],
    [['web', '--help'], 0]
  ] as const) {
    const role = runRole(t, [...args], COVERED)
    t.equal(await role.ended, exitCode)
    t.ok(role.lines.some(({ msg }) => /^Usage: (?:npx )?node app\/main\.ts/.test(String(msg))))
  }
})

t.test('logs one line for each invalid variable and exits 1', async (t) => {
  const role = runRole(t, ['web'], { ...COVERED, PORT: 'abc', CLOUDINARY_URL: 'https://not-for-the-log' })
  t.equal(await role.ended, 1)
  t.match(role.lines, [
    { level: 'fatal', role: 'web', code: 'CONFIG_INVALID', msg: /^PORT is "abc"/ },
    { level: 'fatal', code: 'CONFIG_INVALID', msg: /^The value of CLOUDINARY_URL \(hidden\) is not valid/ },
    { level: 'fatal', code: 'CONFIG_INVALID', msg: /^QUEUE_URL is not set/ }
  ])
  t.notMatch(JSON.stringify(role.lines), 'not-for-the-log')
})

t.test('each role reports its missing variables', async (t) => {
  for (const [name, variables] of [
    ['web', ['QUEUE_URL']],
    ['worker', ['QUEUE_URL', 'DEAD_LETTER_QUEUE_URL', 'JOURNAL_TABLE']],
    ['poll', ['QUEUE_URL', 'POLL_CHANNEL']]
  ] as const) {
    const { problems } = inspectConfig(ROLES[name]!.requires, {})
    t.strictSame(
      problems.map(({ line }) => line.split(' is not set')[0]),
      variables
    )
  }
})

t.test('reports configuration errors at start', async (t) => {
  const broken = t.testdir({ 'listener.config.ts': '\nenum Color { Red }' })
  const LISTENER_CONFIG = `${broken}/listener.config.ts`
  const process = runRole(t, ['worker'], { ...NOWHERE, LISTENER_CONFIG })
  t.equal(await process.ended, 1)
  const code = 'LISTENER_CONFIG_INVALID'
  t.match(process.lines, [{ level: 'fatal', code, msg: /listener\.config\.ts:2: .*enum/, err: undefined }])

  await t.rejects(startHere('web', { AWS_REGION: 'eu-west-1' }), {
    code: 'CONFIG_INVALID',
    message: /^CLOUDINARY_URL and CLOUDINARY_SECRET_ID are not set/
  })
  await t.rejects(startHere('worker', { CLOUDINARY_URL }), {
    code: 'CONFIG_INVALID',
    message: /^AWS_REGION is not set/
  })
  await t.rejects(startHere('worker', { CLOUDINARY_URL: 'cloudinary://a@b', AWS_REGION: 'eu-west-1' }), {
    code: 'CLOUDINARY_URL_INVALID',
    message: /API secret is missing/
  })
})

t.test('an address that cannot be used is an error at start', async (t) => {
  const start = startHere('web', {
    AWS_REGION: 'eu-west-1',
    CLOUDINARY_URL,
    HOST: '203.0.113.1',
    PORT: '0'
  })
  await t.rejects(start, { code: 'EADDRNOTAVAIL' })
})

t.test('a role stops while it is starting', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => {
    silent.closeAllConnections()
    silent.close()
  })
  const address = silent.address() as { port: number }
  const role = runRole(t, ['worker'], {
    ...COVERED,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_SECRETS_MANAGER: `http://127.0.0.1:${address.port}`,
    ...NOWHERE,
    CLOUDINARY_SECRET_ID: 'listener/cloudinary'
  })
  await once(silent, 'request')
  role.child.kill('SIGTERM')
  t.equal(await role.ended, 0)
})

t.test('web is ready after it has read the credentials from Secrets Manager', async (t) => {
  const sqs = await startSqs()
  const secrets = await startSecretsManager({ secrets: { 'listener/cloudinary': CLOUDINARY_URL } })
  t.teardown(() => Promise.all([sqs.stop(), secrets.stop()]))
  const role = runRole(t, ['web'], {
    ...sqs.environment,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url,
    QUEUE_URL: sqs.queueUrl,
    CLOUDINARY_SECRET_ID: 'listener/cloudinary',
    PORT: '0',
    HOST: '127.0.0.1'
  })
  const { url } = await role.line('web is ready')
  t.equal((await fetch(`${url}/ready`)).status, 200)
  role.child.kill('SIGTERM')
  t.equal(await role.ended, 0)
})

t.test("uses the user's logger with safe serializers, and writes metrics beside it", async (t) => {
  const standIns = await startStandIns()
  t.teardown(() => standIns.stop())
  const directory = t.testdir({
    'listener.config.ts': `
      import { pino } from '${process.cwd()}/node_modules/pino/pino.js'
      import { defineListener } from '${process.cwd()}/app/listener.ts'
      export default defineListener({ processors: [], logger: pino({ base: { mine: true } }) })`
  })
  const role = runRole(t, ['worker'], {
    ...COVERED,
    ...standIns.environment,
    LISTENER_CONFIG: `${directory}/listener.config.ts`,
    METRICS_NAMESPACE: 'Cloudinary/Listener'
  })
  t.match(await role.line('worker is ready'), { mine: true, role: 'worker' })
  role.child.kill('SIGTERM')
  t.equal(await role.ended, 0)
  const last = role.lines.slice(-3)
  t.match(
    last.filter(({ mine }) => mine),
    [{ msg: 'stopping', signal: 'SIGTERM' }, { msg: 'stopped' }]
  )
  const [metrics] = last.filter(({ mine }) => !mine)
  t.strictSame(
    Object.keys(metrics!),
    ['_aws', 'Role', 'BreakerOpen', 'ConcurrencyUsed'],
    'metrics are not log lines'
  )
})

t.test('an uncaught error stops the role gracefully with exit code 1', async (t) => {
  const standIns = await startStandIns()
  t.teardown(() => standIns.stop())
  const directory = t.testdir({
    'listener.config.ts': `
      import { defineListener } from '${process.cwd()}/app/listener.ts'
      setTimeout(() => { throw new Error('nobody catches this') }, 500)
      export default defineListener({ processors: [] })`
  })
  const role = runRole(t, ['worker'], {
    ...COVERED,
    ...standIns.environment,
    LISTENER_CONFIG: `${directory}/listener.config.ts`
  })
  t.equal(await role.ended, 1)
  t.match(role.lines.slice(-2), [
    { level: 'fatal', msg: 'unexpected error; stopping', err: { message: 'nobody catches this' } },
    { msg: 'stopped' }
  ])
})

t.test('each command prints its usage and rejects unknown options', async (t) => {
  for (const name of Object.keys(COMMANDS)) {
    const { exitCode, output } = await runHere(name, '--bogus')
    t.equal(exitCode, 2, name)
    t.match(
      output[0],
      new RegExp(`^Unknown option '--bogus'[\\s\\S]*\\n\\nUsage: (?:npx )?node app/main.ts ${name}`)
    )
  }
})

t.test('a command prints one line for each missing variable', async (t) => {
  const { exitCode, output } = await runHere('redrive')
  t.equal(exitCode, 1)
  t.match(output, [/^QUEUE_URL is not set/, /^DEAD_LETTER_QUEUE_URL is not set/])
})

t.test('commands run with the configuration of the roles', async (t) => {
  const standIns = await startStandIns({ webhookUrl: 'http://127.0.0.1:1/webhooks/cloudinary' })
  t.teardown(() => standIns.stop())
  await withEnvironment(standIns.environment, async () => {
    const doctor = await runHere('doctor')
    t.equal(doctor.exitCode, 0)
    t.match(doctor.output.at(-1), /^0 faults, /)
    t.strictSame(await runHere('redrive'), {
      exitCode: 0,
      output: ['The dead-letter queue is empty.']
    })
    t.match(await runHere('replay', 'nonsense'), { exitCode: 1, output: [/^nonsense {2}not replayed/] })
  })
})

t.test('doctor skips checks with missing configuration and says why', async (t) => {
  const environment = { CLOUDINARY_URL: 'https://not-for-the-log', LISTENER_CONFIG: './listener.txt' }
  const { exitCode, output } = await withEnvironment(environment, () => runHere('doctor'))
  t.equal(exitCode, 1)
  t.match(output, [
    /^fault {4}configuration +The value of CLOUDINARY_URL \(hidden\) is not valid/,
    /^fault {4}configuration +LISTENER_CONFIG is "\.\/listener\.txt"/,
    /^fault {4}configuration +QUEUE_URL is not set/,
    /^fault {4}configuration +DEAD_LETTER_QUEUE_URL is not set/,
    /^fault {4}configuration +JOURNAL_TABLE is not set/,
    /^fault {4}configuration +AWS_REGION is not set/,
    /clock/,
    /^6 faults/
  ])
})

t.test('an interrupted redrive stops gracefully', async (t) => {
  const fake = await startSqsFake()
  t.teardown(() => fake.stop())
  const receive = hold()
  fake.next('ReceiveMessage', receive.behaviour)
  const command = runRole(t, ['redrive'], {
    QUEUE_URL: fake.queueUrl,
    DEAD_LETTER_QUEUE_URL: fake.queueUrl,
    AWS_ENDPOINT_URL_SQS: fake.url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local'
  })
  await receive.arrived
  command.child.kill('SIGINT')
  receive.release()
  t.equal(await command.ended, 1)
  t.match(command.lines[0], { msg: 'stopped: interrupted' })
})

t.test('a command survives a closed output pipe', async (t) => {
  const doctor = runRole(t, ['doctor'], COVERED)
  doctor.child.stdout?.destroy()
  t.equal(await doctor.ended, 1)
})

// sets the environment of this process
t.test('the worker logs when the circuit breaker opens and closes', async (t) => {
  const { cloudinary, sqs, logged } = await buildListener(t, [helloWorldTag()])
  const client = new SQSClient({})
  t.teardown(() => client.destroy())
  const sender = new EventSender({ sqs: client, queueUrl: sqs.queueUrl })
  const store = (id: string) => sender.store([eventOf(id)], AbortSignal.timeout(5000))
  cloudinary.faults.add({ kind: 'rate_limit', until: new Date(Date.now() + 2000), count: 1 })
  await store('one')
  t.match(await logged(({ msg }) => msg === 'circuit breaker opened'), { cloudName: 'demo' })
  await store('two')
  t.match(await logged(({ msg }) => msg === 'circuit breaker closed'), { cloudName: 'demo' })
})
