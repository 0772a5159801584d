import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { App } from 'aws-cdk-lib'
import { CloudAssembly } from 'aws-cdk-lib/cx-api'
import t from 'tap'
import { Settings } from '../../infra/settings.ts'
import { defineApp } from '../../infra/stacks.ts'
import { synthesise, Template, USER_SETTINGS } from '../support/templates.ts'
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
  cloudFrontDistributions: ['E123ABC'],
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
  secretVariables: 'CMS_TOKEN,CMS_KEY',
  otlpEndpoint: 'http://collector.internal:4318',
  traceShare: '0.1'
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
  otlpEndpoint: 'https://collector.example.com/otlp',
  availabilityZones: { 'us-east-1': ['us-east-1b', 'us-east-1d', 'us-east-1f'] },
  natPerZone: true
})

const all = { plain, several, trial, bespoke, sealed }

t.test('cdk-nag has no findings without an acknowledged reason', async (t) => {
  for (const [name, { findings }] of Object.entries(all)) t.strictSame(findings, [], name)
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

t.test('the entry point writes the templates of cdk.json, and warns without TLS', async (t) => {
  // as the CDK runs it; `npm run check:infra` runs `npm run synth` itself
  const outdir = t.testdir()
  const { app, context } = JSON.parse(readFileSync('cdk.json', 'utf8'))
  t.equal(app, 'node infra/main.ts')
  const variables = { CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: JSON.stringify(context), CDK_VALIDATION: 'false' }
  Object.assign(process.env, variables)
  t.teardown(() => {
    for (const name of Object.keys(variables)) delete process.env[name]
  })
  const others = process.listeners('beforeExit')
  await import('../../infra/main.ts')
  t.equal(process.exitCode, 0)
  const [synth, ...more] = process.listeners('beforeExit').filter((listener) => !others.includes(listener))
  t.strictSame(more, [])
  process.off('beforeExit', synth!)
  synth!(0)
  const settings = Settings.parse(USER_SETTINGS)
  const { stacks } = new CloudAssembly(outdir)
  const warnings = stacks
    .flatMap(({ messages }) => messages.map(({ entry }) => String(entry.data)))
    .join('\n')
  if (!settings.domainName) t.match(warnings, 'cloudinary-listener:no-tls')
  if (settings.alarmEmails.length === 0) t.match(warnings, 'cloudinary-listener:no-alarm-address')
  const name = `${settings.name}-${settings.regions[0]}.template.json`
  const written = new Template(JSON.parse(readFileSync(join(outdir, name), 'utf8')))
  for (const role of ['Web', 'Worker']) t.ok(written.one('ECS::Service', `Services${role}`))
})

t.test('invalid settings are printed, one line each, and no stack is added', async (t) => {
  const app = new App({ context: { zones: 9, colour: 'blue' } })
  const lines: string[] = []
  const printError = (line: string) => void lines.push(line)
  const checkSecrets = async () => t.fail('settings come first')
  t.equal(await defineApp(app, { printError, checkSecrets: checkSecrets as never }), 1)
  t.match(lines, [/^setting zones: /, /^setting .*colour/, /docs\/deploy\.md/])
  t.strictSame(app.node.children, [])
})
