import fc from 'fast-check'
import t from 'tap'
import { regexForNumbersAbove } from '../../infra/number-regex.ts'
import { readSettings } from '../../infra/read-settings.ts'
import { portOf } from '../../infra/setting-values.ts'

const problemsOf = (context: Record<string, unknown>) => {
  const read = readSettings(context)
  return read.outcome === 'invalid' ? read.problems : []
}

const settingsOf = (context: Record<string, unknown>) => {
  const read = readSettings(context)
  if (read.outcome === 'invalid') throw new Error(read.problems.join('\n'))
  return read.settings
}

const OIDC = {
  issuer: 'https://login.example.com',
  authorizationEndpoint: 'https://login.example.com/authorize?tenant=a',
  tokenEndpoint: 'https://login.example.com/token',
  userInfoEndpoint: 'https://login.example.com/userinfo',
  clientId: 'listener'
}

const TOPIC = 'arn:aws:sns:eu-west-1:111111111111:oncall'

const CERTIFICATES = { 'us-east-1': 'arn:aws:acm:us-east-1:111111111111:certificate/own' }

const DOMAIN = { domainName: 'hooks.example.com', hostedZoneId: 'Z0123456789' }

t.test('every setting has a default', async (t) => {
  t.match(settingsOf({}), {
    name: 'cloudinary-listener',
    regions: ['us-east-1'],
    web: { minimumTasks: 2, size: { cpu: 512, memoryMiB: 1024 } },
    worker: { minimumTasks: 1, concurrency: 50, spot: false },
    bodyLimitBytes: 10_485_760,
    retainData: true,
    database: 'none'
  })
})

t.test('settings as text on the command line equal those in cdk.json', async (t) => {
  const json = {
    regions: ['eu-west-1', 'us-east-1'],
    natPerZone: true,
    zones: 3,
    worker: { minimumTasks: 0, spot: true },
    alarmEmails: ['a@example.com', 'b@example.com'],
    activity: true,
    activityReadTokens: true,
    activityAllowedOrigins: ['https://www.example.com', 'http://localhost:3000'],
    activityOidc: OIDC,
    ...DOMAIN
  }
  const text = {
    regions: 'eu-west-1, us-east-1',
    natPerZone: 'true',
    zones: '3',
    worker: '{"minimumTasks":0,"spot":true}',
    alarmEmails: 'a@example.com,b@example.com',
    activity: 'true',
    activityReadTokens: 'true',
    activityAllowedOrigins: 'https://www.example.com, http://localhost:3000',
    activityOidc: JSON.stringify(OIDC),
    ...DOMAIN
  }
  t.strictSame(settingsOf(text), settingsOf(json))
})

t.test("CDK's own context is ignored", async (t) => {
  t.strictSame(settingsOf({ '@aws-cdk/core:a': true, 'aws:cdk:b': 1, 'cli-c': 2 }), settingsOf({}))
})

t.test('an unknown setting is an error', async (t) => {
  t.match(problemsOf({ worker: { concurency: 10 } }), [/worker: .*concurency/])
  t.match(problemsOf({ workers: {} }), [/workers/])
})

t.test('an invalid value is an error that names the setting', async (t) => {
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ name: 'Upper' }, /^name: /],
    [{ name: 'two--hyphens' }, /^name: /],
    [{ name: 'at-the-end-' }, /^name: /],
    [{ name: 'a'.repeat(32) }, /^name: /],
    [{ databaseCapacity: { minimum: 0.3, maximum: 0.5 } }, /^databaseCapacity\.minimum: /],
    [{ regions: 'Ireland' }, /^regions\.0: .*eu-west-1/],
    [{ regions: '' }, /^regions: /],
    [{ zones: 4 }, /^zones: /],
    [{ natPerZone: 'yes' }, /^natPerZone: /],
    [{ worker: 'many' }, /^worker: /],
    [{ reconcileEvery: 'rate(1 hours)' }, /^reconcileEvery: /],
    [{ schedulesEvery: 'rate(1 hours)' }, /^schedulesEvery: /],
    [{ worker: { size: { cpu: 512, memoryMiB: 512 } } }, /^worker\.size: .*512 → 1024, 2048/],
    [{ bodyLimitBytes: 10 }, /^bodyLimitBytes: /],
    [{ logRetentionDays: 91 }, /^logRetentionDays: /],
    [{ notify: true, notifyPhones: '0155' }, /^notifyPhones\.0: /],
    [{ activityAllowedOrigins: 'https://www.example.com/feed' }, /^activityAllowedOrigins\.0: /],
    [{ activityAllowedOrigins: ['https://a.example,https://b.example'] }, /^activityAllowedOrigins\.0: /],
    [{ activityAllowedOrigins: '*' }, /^activityAllowedOrigins\.0: /],
    [{ activityOidc: { ...OIDC, issuer: 'https://login.example.com?a=b' } }, /^activityOidc\.issuer: /],
    [{ activityOidc: { ...OIDC, issuer: 'login.example.com' } }, /^activityOidc\.issuer: /],
    [
      { activityOidc: { ...OIDC, authorizationEndpoint: 'http://a' } },
      /^activityOidc\.authorizationEndpoint: /
    ],
    [{ activityOidc: { ...OIDC, tokenEndpoint: 'https://a:8443/t' } }, /^activityOidc\.tokenEndpoint: /],
    [{ activityOidc: { ...OIDC, userInfoEndpoint: 'https://u:p@a' } }, /^activityOidc\.userInfoEndpoint: /],
    [{ activityOidc: { ...OIDC, clientId: '' } }, /^activityOidc\.clientId: /],
    [{ activityOidc: { ...OIDC, clientSecret: 'x' } }, /^activityOidc: .*clientSecret/],
    [{ activityOidc: { ...OIDC, clientSecretVersion: '2' } }, /^activityOidc\.clientSecretVersion: /],
    [{ vpc: { 'eu-west-1': { vpcId: 'vpc-0a0a0a0a' } } }, /^vpc\.eu-west-1\.availabilityZones: /]
  ]
  for (const [context, problem] of cases) t.match(problemsOf(context)[0], problem, JSON.stringify(context))
})

t.test('conflicting settings are an error', async (t) => {
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ hostedZoneId: 'Z0123456789' }, /^hostedZoneId: /],
    [{ certificateArns: CERTIFICATES }, /^certificateArns: /],
    [{ domainName: 'hooks.example.com' }, /^domainName: /],
    [{ canaryEvery: 'rate(5 minutes)' }, /^canaryEvery: /],
    [{ ...DOMAIN, canaryEvery: 'rate(1 minute)' }, /^canaryEvery: /],
    [{ ...DOMAIN, canaryEvery: 'rate(60 minutes)' }, /^canaryEvery: /],
    [{ regions: 'us-east-1,eu-west-1' }, /^regions: /],
    [{ activity: true }, /^activity: /],
    [{ activityReadTokens: true }, /^activityReadTokens, activityOidc: /],
    [{ activityOidc: OIDC }, /^activityReadTokens, activityOidc: /],
    [
      { ...DOMAIN, activity: true, activityAllowedOrigins: 'https://www.example.com' },
      /^activityAllowedOrigins: /
    ],
    [{ regions: 'us-east-1,us-east-1', ...DOMAIN }, /^regions: /],
    [{ ...DOMAIN, regions: 'us-east-1,eu-west-1', dnsRecord: 'simple' }, /^dnsRecord: /],
    [{ ...DOMAIN, hostedZoneName: 'example.org' }, /^hostedZoneName: /],
    [{ ...DOMAIN, regions: 'eu-west-1', certificateArns: CERTIFICATES }, /^certificateArns: names/],
    [{ alarmTopicArns: { 'eu-west-1': TOPIC } }, /^alarmTopicArns: names/],
    [
      { regions: 'eu-west-1', alarmTopicArns: { 'eu-west-1': TOPIC }, alarmEmails: 'a@b.example' },
      /^alarmEmails: /
    ],
    [{ availabilityZones: { 'us-east-1': ['eu-west-1a', 'eu-west-1b'] } }, /^availabilityZones: a zone/],
    [{ database: 'aurora', regions: 'mx-central-1' }, /^database: /],
    [{ web: { minimumTasks: 11 } }, /^web\.minimumTasks: /],
    [{ worker: { minimumTasks: 21 } }, /^worker\.minimumTasks: /],
    [{ notifyEmails: 'a@example.com' }, /^notifyEmails, notifyPhones: /],
    [{ homeRegion: 'eu-west-1' }, /^homeRegion: /],
    [{ databaseCapacity: { minimum: 8, maximum: 4 } }, /^databaseCapacity\.minimum: /],
    [{ regions: 'us-east-1,eu-west-1', ...DOMAIN, database: 'aurora' }, /^database: /]
  ]
  for (const [context, problem] of cases) t.match(problemsOf(context), [problem], JSON.stringify(context))
  t.strictSame(problemsOf({ domainName: 'hooks.example.com', certificateArns: CERTIFICATES }), [])
})

t.test('the expression agrees with arithmetic, for any limit and number', async () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.integer({ min: -2, max: 2 }), (limit, number, near) => {
      const expression = new RegExp(regexForNumbersAbove(limit))
      return [number, Math.max(0, limit + near)].every(
        (candidate) =>
          expression.test(String(candidate)) === candidate > limit &&
          expression.test(`00${candidate}`) === candidate > limit
      )
    })
  )
})

t.test('the expression has no capturing group, which AWS WAF refuses', async () => {
  fc.assert(
    // one group more than those of the expression: the empty alternative always matches
    fc.property(fc.nat(), (limit) => new RegExp(`${regexForNumbersAbove(limit)}|`).exec('')?.length === 1)
  )
})

t.test("the expression fits into AWS WAF's 200 characters and matches only numbers", async (t) => {
  const expression = regexForNumbersAbove(104_857_600)
  t.ok(expression.length <= 200, `${expression.length} characters`)
  for (const text of ['', '-1', '1e9', 'ten', '999999999x']) t.notMatch(text, new RegExp(expression))
})

t.test('variables of processors cannot be those of the listener, AWS or the image', async (t) => {
  t.match(settingsOf({ variables: '{"CMS_URL":"https://cms"}', secretVariables: 'CMS_TOKEN, CMS_KEY' }), {
    variables: { CMS_URL: 'https://cms' },
    secretVariables: ['CMS_TOKEN', 'CMS_KEY']
  })
  for (const name of ['PORT', 'FORWARD_SECRET', 'AWS_PROFILE', 'NODE_OPTIONS', 'cms-url']) {
    t.match(problemsOf({ variables: { [name]: 'x' } }), [/^variables/], name)
    t.match(problemsOf({ secretVariables: [name] }), [/^secretVariables/], name)
  }
  t.match(problemsOf({ variables: { CMS_URL: 'x' }, secretVariables: 'CMS_URL' }), [/^secretVariables/])
  t.match(problemsOf({ variables: { PORT: '1' } }), [/^variables\.PORT: is reserved/])
})

t.test('a problem says which values are valid', async (t) => {
  const problems: [setting: string, value: unknown, problem: string][] = [
    ['name', 'My_Listener', 'name: is not 2 to 31 lower-case letters'],
    ['canaryEvery', 'rate(1 minute)', 'canaryEvery: is not `never` or rate(N minutes) with N from 2 to 59'],
    ['notifyPhones', '4155550100', 'notifyPhones.0: is not a phone number with its country'],
    ['traceShare', '10%', 'traceShare: is not a number, such as 0.1'],
    ['alarmTopicArns', { Ireland: 'arn' }, 'alarmTopicArns.Ireland: is not an AWS region, such as eu-west-1']
  ]
  for (const [setting, value, problem] of problems) t.match(problemsOf({ [setting]: value })[0], problem)
})

t.test('the port of a collector is that of its URL, or the default of its protocol', async (t) => {
  t.equal(portOf('http://collector.internal:4318'), 4318)
  t.equal(portOf('https://collector.example.com/'), 443)
  t.equal(portOf('http://collector.internal'), 80)
})
