import pg from 'pg'
import type { Test } from 'tap'
import { credentialSource, readConfig, VARIABLES, type VariableName } from '../../../app/config.ts'
import { WORKER_REQUIRES } from '../../../app/roles/worker.ts'
import { ROLES } from '../../support/roles.ts'
import { environmentOf, type Synthesis } from '../../support/templates.ts'

/** Values that CloudFormation knows only at deployment. */
const VALUES = {
  QueuesQueue: 'https://sqs.us-east-1.amazonaws.com/111111111111/cloudinary-listener-events.fifo',
  QueuesDeadLetterQueue:
    'https://sqs.us-east-1.amazonaws.com/111111111111/cloudinary-listener-dead-letters.fifo',
  EntryLoadBalancer: 'balancer-1.us-east-1.elb.amazonaws.com',
  Notify: 'arn:aws:sns:us-east-1:111111111111:cloudinary-listener-notify',
  DatabaseCluster: 'aurora.example.com',
  'Endpoint.Port': '5432'
}

/** The variables that a role requires. */
const requires = (role: string): readonly VariableName[] =>
  role === 'Operator'
    ? WORKER_REQUIRES
    : role === 'Canary'
      ? ['JOURNAL_TABLE', 'WEBHOOK_URL']
      : (ROLES[role.toLowerCase()]?.requires ?? ['QUEUE_URL', 'JOURNAL_TABLE'])

export function environment(t: Test, all: Record<string, Synthesis>) {
  const { plain, several, trial, sealed } = all
  t.test("a task's environment is valid and complete for its role", async (t) => {
    for (const [name, { listener, settings }] of Object.entries(all)) {
      for (const { id } of listener.all('ECS::TaskDefinition')) {
        const role = /^Services(\w+?)Task/.exec(id)![1]!
        const given = environmentOf(listener, role, VALUES)
        const fromSecret = role === 'Activity' && { ACTIVITY_PASSWORD: 'of-the-secret' }
        const config = readConfig(requires(role), { ...given, ...fromSecret })
        if (role === 'Activity') t.notOk(config.CLOUDINARY_SECRET_ID, 'it does not call Cloudinary')
        else t.strictSame(credentialSource(config), { secretId: 'cloudinary-listener/cloudinary' })
        const unknown = Object.keys(given).filter((variable) => !Object.hasOwn(VARIABLES, variable))
        const own = ['Worker', 'Operator'].includes(role) ? Object.keys(settings.variables) : []
        t.strictSame(unknown, [...own, 'AWS_REGION'], `${role}, ${name}: the listener reads every variable`)
      }
    }
  })

  t.test('limits come from the settings', async (t) => {
    const config = readConfig([], environmentOf(plain!.listener, 'Web', VALUES))
    const { settings } = plain!
    t.match(config, {
      PORT: 8080,
      BODY_LIMIT_BYTES: settings.bodyLimitBytes,
      SIGNATURE_TOLERANCE_SECONDS: settings.signatureToleranceSeconds,
      LOG_LEVEL: settings.logLevel
    })
    t.equal(
      readConfig([], environmentOf(plain!.listener, 'Worker', VALUES)).WORKER_CONCURRENCY,
      settings.worker.concurrency
    )
  })

  t.test('every role but the canary sends traces to the collector, if there is one', async (t) => {
    for (const [{ listener, settings }, isTraced] of [
      [plain!, false],
      [several!, true],
      [sealed!, true]
    ] as const) {
      for (const { id } of listener.all('ECS::TaskDefinition')) {
        const role = /^Services(\w+?)Task/.exec(id)![1]!
        const tracing = Object.entries(environmentOf(listener, role, VALUES)).filter(([name]) =>
          name.startsWith('OTEL_')
        )
        const expected = {
          OTEL_EXPORTER_OTLP_ENDPOINT: settings.otlpEndpoint,
          OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
          OTEL_TRACES_SAMPLER_ARG: String(settings.traceShare)
        }
        t.strictSame(Object.fromEntries(tracing), isTraced && role !== 'Canary' ? expected : {}, role)
      }
    }
    t.equal(several!.settings.traceShare, 0.1)
  })

  t.test('processors get topic, database and secrets', async (t) => {
    t.match(environmentOf(several!.listener, 'Worker', VALUES), { NOTIFY_TOPIC_ARN: VALUES.Notify })
    const secrets = several!.listener.container('Worker').Secrets as unknown as { Name: string }[]
    for (const { Name } of secrets.filter(({ Name }) => !Name.startsWith('CMS_')))
      t.ok(
        VARIABLES[Name as VariableName].schema.safeParse('').error,
        `${Name} is a variable of the listener`
      )
    t.notOk('DATABASE_URL' in environmentOf(several!.listener, 'Worker', VALUES), 'it comes from the secret')
  })

  t.test(
    "variables of users' processors reach worker and commands, secret ones from one secret",
    async (t) => {
      for (const role of ['Worker', 'Operator']) {
        t.match(environmentOf(several!.listener, role, VALUES), { CMS_URL: 'https://cms.example.com' })
        const secrets = several!.listener.container(role).Secrets as unknown as {
          Name: string
          ValueFrom: unknown
        }[]
        for (const name of ['CMS_TOKEN', 'CMS_KEY']) {
          const from = JSON.stringify(secrets.find(({ Name }) => Name === name)?.ValueFrom)
          t.match(from, `secret:cloudinary-listener/processors:${name}::`)
        }
      }
      t.notMatch(JSON.stringify(several!.listener.container('Web')), 'CMS_')
      const secret = several!.state.one('SecretsManager::Secret', 'Processors')
      t.match(secret.Properties, {
        Name: 'cloudinary-listener/processors',
        Description: /CMS_TOKEN.*CMS_KEY/
      })
    }
  )

  t.test('pg reads user and host from DATABASE_URL, and the password from the secret', async (t) => {
    const { DATABASE_URL } = environmentOf(trial!.listener, 'Worker', VALUES)
    t.notMatch(DATABASE_URL, /:[^/]*@/, 'no password in the variable')
    process.env.PGPASSWORD = 'of-the-secret'
    const client = new pg.Client({ connectionString: DATABASE_URL! })
    t.match(client, {
      user: 'listener',
      host: 'aurora.example.com',
      password: 'of-the-secret',
      database: 'listener'
    })
    t.ok((client as unknown as { ssl: object }).ssl, 'over TLS')
  })
}
