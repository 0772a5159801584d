import fc from 'fast-check'
import t from 'tap'
import { regexForNumbersAbove } from '../../infra/number-regex.ts'
import { readSettings } from '../../infra/read-settings.ts'

const faultsOf = (context: Record<string, unknown>) => {
  const read = readSettings(context)
  return read.outcome === 'invalid' ? read.problems : []
}

const settingsOf = (context: Record<string, unknown>) => {
  const read = readSettings(context)
  if (read.outcome === 'invalid') throw new Error(read.problems.join('\n'))
  return read.settings
}

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

t.test('a setting of the command line, which is text, is read as one of cdk.json', async (t) => {
  const json = {
    regions: ['eu-west-1', 'us-east-1'],
    natPerZone: true,
    zones: 3,
    worker: { minimumTasks: 0, spot: true },
    alarmEmails: ['a@example.com', 'b@example.com'],
    ...DOMAIN
  }
  const text = {
    regions: 'eu-west-1, us-east-1',
    natPerZone: 'true',
    zones: '3',
    worker: '{"minimumTasks":0,"spot":true}',
    alarmEmails: 'a@example.com,b@example.com',
    ...DOMAIN
  }
  t.strictSame(settingsOf(text), settingsOf(json))
})

t.test("CDK's own context is none of the settings' concern", async (t) => {
  t.strictSame(settingsOf({ '@aws-cdk/core:a': true, 'aws:cdk:b': 1, 'cli-c': 2 }), settingsOf({}))
})

t.test('a name that is no setting is refused, or a slip of the pen would change nothing', async (t) => {
  t.match(faultsOf({ worker: { concurency: 10 } }), [/worker: .*concurency/])
  t.match(faultsOf({ workers: {} }), [/workers/])
})

t.test('a value that cannot be is refused, with the setting that it is for', async (t) => {
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
    [{ worker: { size: { cpu: 512, memoryMiB: 512 } } }, /^worker\.size: .*512 → 1024, 2048/],
    [{ bodyLimitBytes: 10 }, /^bodyLimitBytes: /],
    [{ logRetentionDays: 91 }, /^logRetentionDays: /],
    [{ notify: true, notifyPhones: '0155' }, /^notifyPhones\.0: /],
    [{ vpc: { 'eu-west-1': { vpcId: 'vpc-0a0a0a0a' } } }, /^vpc\.eu-west-1\.availabilityZones: /]
  ]
  for (const [context, fault] of cases) t.match(faultsOf(context)[0], fault, JSON.stringify(context))
})

t.test('settings that cannot be together are refused', async (t) => {
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ hostedZoneId: 'Z0123456789' }, /hostedZoneId: needs domainName/],
    [{ certificateArns: { 'us-east-1': 'arn:aws:acm:…' } }, /certificateArns: need domainName/],
    [{ domainName: 'hooks.example.com' }, /domainName: needs hostedZoneId, or a certificate/],
    [{ regions: 'us-east-1,eu-west-1' }, /regions: several need domainName/],
    [{ regions: 'us-east-1,us-east-1', ...DOMAIN }, /one is named twice/],
    [{ web: { minimumTasks: 11 } }, /web\.minimumTasks/],
    [{ worker: { minimumTasks: 21 } }, /worker\.minimumTasks/],
    [{ notifyEmails: 'a@example.com' }, /need notify=true/],
    [{ homeRegion: 'eu-west-1' }, /homeRegion: is none of regions/],
    [{ databaseCapacity: { minimum: 8, maximum: 4 } }, /databaseCapacity\.minimum: is more than maximum/],
    [{ regions: 'us-east-1,eu-west-1', ...DOMAIN, database: 'aurora' }, /database: aurora is in one region/]
  ]
  for (const [context, fault] of cases) t.match(faultsOf(context), [fault], JSON.stringify(context))
  t.strictSame(
    faultsOf({ domainName: 'hooks.example.com', certificateArns: { 'us-east-1': 'arn:aws:acm:…' } }),
    []
  )
})

t.test('the expression for "more than" agrees with arithmetic, for any limit and number', async () => {
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

t.test('the expression is as long as AWS WAF takes it, and matches nothing but numbers', async (t) => {
  const expression = regexForNumbersAbove(104_857_600)
  t.ok(expression.length <= 200, `${expression.length} characters`)
  for (const text of ['', '-1', '1e9', 'ten', '999999999x']) t.notMatch(text, new RegExp(expression))
})

t.test("variables of processors' own are none that the listener, AWS or the image sets", async (t) => {
  t.match(settingsOf({ variables: '{"CMS_URL":"https://cms"}', secretVariables: 'CMS_TOKEN, CMS_KEY' }), {
    variables: { CMS_URL: 'https://cms' },
    secretVariables: ['CMS_TOKEN', 'CMS_KEY']
  })
  for (const name of ['PORT', 'FORWARD_SECRET', 'AWS_PROFILE', 'NODE_OPTIONS', 'cms-url']) {
    t.match(faultsOf({ variables: { [name]: 'x' } }), [/^variables/], name)
    t.match(faultsOf({ secretVariables: [name] }), [/^secretVariables/], name)
  }
  t.match(faultsOf({ variables: { CMS_URL: 'x' }, secretVariables: 'CMS_URL' }), [/^secretVariables/])
})
