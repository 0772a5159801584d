import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { App } from 'aws-cdk-lib'
import t from 'tap'
import { Settings } from '../../infra/settings.ts'
import { defineApp } from '../../infra/stacks.ts'
import { CHILD_ENVIRONMENT } from '../support/system.ts'
import { synthesise, Template, USER_SETTINGS, violationsOf } from '../support/templates.ts'
import { activity } from './app/activity.ts'
import { alarms } from './app/alarms.ts'
import { archive } from './app/archive.ts'
import { bootstrap } from './app/bootstrap.ts'
import { deployment } from './app/deployment.ts'
import { emulators } from './app/emulators.ts'
import { environment } from './app/environment.ts'
import { image } from './app/image.ts'
import { loadBalancer } from './app/load-balancer.ts'
import { network } from './app/network.ts'
import { observability } from './app/observability.ts'
import { permissions } from './app/permissions.ts'
import { regions } from './app/regions.ts'
import { releases } from './app/releases.ts'
import { schedules } from './app/schedules.ts'
import { secretAccess } from './app/secret-access.ts'
import { security } from './app/security.ts'
import { services } from './app/services.ts'
import { state } from './app/state.ts'
import { timings } from './app/timings.ts'
import { workerScaling } from './app/worker-scaling.ts'

t.setTimeout(180_000)

const directory = t.testdir()

/** All defaults. */
const plain = synthesise(join(directory, 'plain'))

/** Two regions, and every option that supports them. */
const several = synthesise(join(directory, 'several'), {
  regions: 'us-east-1,eu-west-1',
  homeRegion: 'eu-west-1',
  domainName: 'hooks.example.com',
  hostedZoneId: 'Z0123456789',
  zones: 3,
  natPerZone: true,
  worker: { minimumTasks: 2, spot: true },
  canaryEvery: 'rate(5 minutes)',
  pollChannel: 'assets',
  activity: true,
  bodyLimitBytes: 100_000,
  customerKey: true,
  alarmEmails: 'oncall@example.com',
  notify: true,
  notifyEmails: 'editor@example.com',
  notifyPhones: '+14155550100',
  forward: true,
  archive: true,
  eventBus: 'assets',
  schedulesEvery: 'rate(5 minutes)',
  database: 'secret',
  variables: { CMS_URL: 'https://cms.example.com' },
  secretVariables: 'CMS_TOKEN,CMS_KEY'
})

/** A trial without retained data, with Aurora, a customer key, and logins to the activity page. */
const trial = synthesise(join(directory, 'trial'), {
  domainName: 'hooks.example.com',
  hostedZoneId: 'Z0123456789',
  hostedZoneName: 'example.com',
  retainData: false,
  customerKey: true,
  database: 'aurora',
  forward: true,
  notify: true,
  reconcileTypes: 'upload',
  archive: true,
  architecture: 'x86_64',
  interfaceEndpoints: false,
  activity: true,
  activityReadTokens: true,
  activityAllowedOrigins: 'https://www.example.com,http://localhost:3000',
  activityOidc: {
    issuer: 'https://login.example.com',
    authorizationEndpoint: 'https://login.example.com/authorize',
    tokenEndpoint: 'https://login.example.com/token',
    userInfoEndpoint: 'https://login.example.com/userinfo',
    clientId: 'listener',
    clientSecretVersion: '01234567-89ab-cdef-0123-456789abcdef'
  }
})

/** An existing VPC and an existing certificate. */
const bespoke = synthesise(join(directory, 'bespoke'), {
  regions: 'eu-west-1',
  domainName: 'hooks.example.com',
  certificateArns: { 'eu-west-1': 'arn:aws:acm:eu-west-1:111111111111:certificate/own' },
  vpc: {
    'eu-west-1': {
      vpcId: 'vpc-0a0a0a0a',
      availabilityZones: ['eu-west-1a', 'eu-west-1b'],
      publicSubnetIds: ['subnet-aaaaaaaa', 'subnet-bbbbbbbb'],
      privateSubnetIds: ['subnet-cccccccc', 'subnet-dddddddd']
    }
  },
  worker: { minimumTasks: 0 },
  reconcileEvery: 'never',
  database: 'aurora'
})

/** One region, and every secret, encrypted with customer keys. */
const sealed = synthesise(join(directory, 'sealed'), {
  domainName: 'hooks.example.com',
  hostedZoneId: 'Z0123456789',
  customerKey: true,
  forward: true,
  database: 'secret',
  pollChannel: 'assets',
  activity: true,
  activityReadTokens: true,
  secretVariables: 'CMS_TOKEN',
  alarmTopicArns: { 'us-east-1': 'arn:aws:sns:us-east-1:111111111111:oncall' },
  worker: { minimumTasks: 20 },
  availabilityZones: { 'us-east-1': ['us-east-1b', 'us-east-1d', 'us-east-1f'] },
  natPerZone: true
})

const all = { plain, several, trial, bespoke, sealed }

t.test('cdk-nag has no findings without an acknowledged reason', async (t) => {
  for (const [name, { findings }] of Object.entries(all)) t.strictSame(findings, [], name)
})

t.test('CloudFormation accepts the templates', async (t) => {
  // in the same run, since building the rules takes longer than validating
  const path = join(directory, 'broken.template.json')
  const broken = JSON.parse(readFileSync(plain.files.at(-1)!.templatePath, 'utf8')) as {
    Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>
  }
  const first = (type: string) => Object.values(broken.Resources).find(({ Type }) => Type === `AWS::${type}`)!
  first('SQS::Queue').Properties.Colour = 'blue'
  first('ECS::Service').Properties.SchedulingStrategy = 'SOMETIMES'
  first('ECS::Service').Properties.DesiredCount = 'many'
  writeFileSync(path, JSON.stringify(broken))
  const files = [{ ...plain.files.at(-1)!, templatePath: path }]
  const violations = violationsOf([...Object.values(all), { ...plain, files }])
  t.match(
    violations.toSorted(),
    [/Colour/, /DesiredCount/, /SchedulingStrategy/],
    'only of the broken template'
  )
  t.equal(violations.length, 3)
})

t.test('synthesis looks up nothing in an account', async (t) => {
  for (const [name, { missing }] of Object.entries(all)) t.strictSame(missing, [], name)
})

network(t, all)
loadBalancer(t, all)
services(t, all)
environment(t, all)
image(t, all)
state(t, all)
permissions(t, all)
secretAccess(t, all)
security(t, all)
bootstrap(t, all)
deployment(t, all)
observability(t, all)
alarms(t, all)
regions(t, all)
releases(t, all)
timings(t, all)
workerScaling(t, all)
emulators(t, all)
activity(t, all)
archive(t, all)
schedules(t, all)

t.test(
  'npm run synth writes the templates of cdk.json without credentials, and warns without TLS',
  async (t) => {
    const directory = t.testdir()
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'))
    const [program, ...args] = scripts.synth.split(' ')
    t.equal(program, 'cdk')
    const { status, stderr } = spawnSync(
      process.execPath,
      ['node_modules/aws-cdk/bin/cdk', ...args, '--output', directory],
      // CDK_VALIDATION: the templates above are validated already, which takes seconds
      { encoding: 'utf8', env: { ...CHILD_ENVIRONMENT, HOME: directory, CDK_VALIDATION: 'false' } }
    )
    t.equal(status, 0, stderr)
    const settings = Settings.parse(USER_SETTINGS)
    if (!settings.domainName) t.match(stderr, 'cloudinary-listener:no-tls')
    if (settings.alarmEmails.length === 0) t.match(stderr, 'cloudinary-listener:no-alarm-address')
    const name = `${settings.name}-${settings.regions[0]}.template.json`
    const written = new Template(JSON.parse(readFileSync(join(directory, name), 'utf8')))
    for (const role of ['Web', 'Worker']) t.ok(written.one('ECS::Service', `Services${role}`))
  }
)

t.test('invalid settings are printed, one line each, and no stack is added', async (t) => {
  const app = new App({ context: { zones: 9, colour: 'blue' } })
  const lines: string[] = []
  const printError = (line: string) => void lines.push(line)
  const checkSecrets = async () => t.fail('settings come first')
  t.equal(await defineApp(app, { printError, checkSecrets: checkSecrets as never }), 1)
  t.match(lines, [/^setting zones: /, /^setting .*colour/, /docs\/deploy\.md/])
  t.strictSame(app.node.children, [])
  process.env.CDK_CONTEXT_JSON = '{}'
  await import('../../infra/main.ts')
  t.equal(process.exitCode, 0)
})
