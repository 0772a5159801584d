import fc from 'fast-check'
import t from 'tap'
import { VARIABLES } from '../../app/config.ts'
import { readSettings } from '../../infra/read-settings.ts'
import { SETTINGS } from '../../infra/settings.ts'

type Name = keyof typeof SETTINGS

const isValid = (name: Name, value: unknown) => SETTINGS[name].schema.safeParse(value).success

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/)
const host = fc
  .tuple(fc.array(label, { minLength: 1, maxLength: 4 }), fc.stringMatching(/^[a-z]{2,8}$/))
  .map(([labels, last]) => [...labels, last].join('.'))
const region = fc.constantFrom(
  'us-east-1',
  'eu-west-1',
  'ap-southeast-2',
  'ca-central-1',
  'us-gov-west-1',
  'me-south-1'
)
const account = fc.stringMatching(/^\d{12}$/)
const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`))
const id = (prefix: string) => fc.oneof(hex(8), hex(17)).map((text) => `${prefix}-${text}`)
const certificate = fc
  .tuple(region, account, fc.uuid())
  .map(([at, of, uuid]) => ({ at, arn: `arn:aws:acm:${at}:${of}:certificate/${uuid}` }))
const whole = (min: number, max: number) => fc.integer({ min, max })
const asText = (numbers: fc.Arbitrary<number>) => fc.oneof(numbers, numbers.map(String))
const flag = fc.constantFrom(true, false, 'true', 'false')
const noText = [1, true, null, {}]
const noFlag = ['yes', '1', 1, null, '']
const beyond = (min: number, max: number) => [
  min - 1,
  max + 1,
  min + 0.5,
  '',
  ' 5',
  '1e3',
  '0x1F',
  null,
  true,
  [max]
]
const noEmail = ['oncall', 'a@', 'a@b', 'https://example.com']
const lowerName = fc.stringMatching(/^[a-z]([a-z0-9]|-[a-z0-9]){1,14}$/)
const vpc = fc
  .tuple(id('vpc'), fc.uniqueArray(id('subnet'), { minLength: 4, maxLength: 4 }))
  .map(([vpcId, [a, b, c, d]]) => ({
    vpcId,
    availabilityZones: ['eu-west-1a', 'eu-west-1b'],
    publicSubnetIds: [a, b],
    privateSubnetIds: [c, d]
  }))
const anyVpc = fc.sample(vpc, { seed: 1, numRuns: 1 })[0]!

/** Values of each setting that AWS or the listener accepts, and values that it would refuse at deployment. */
const GRAMMAR: Record<Name, { valid: fc.Arbitrary<unknown>; invalid: unknown[] }> = {
  name: {
    valid: lowerName,
    invalid: ['a', 'A-b', '1a', 'a_b', 'a--b', 'a-', 'a.b', 'a'.repeat(32), ...noText]
  },
  regions: {
    valid: fc.uniqueArray(region, { minLength: 1, maxLength: 5 }),
    invalid: [
      [],
      'us-east-1,us-east-1',
      'us-east',
      'us-east-1a',
      'Ireland',
      'us-top-1',
      'US-EAST-1',
      ...noText
    ]
  },
  homeRegion: { valid: region, invalid: ['eu', 'eu-west-1a', '', ...noText] },
  architecture: { valid: fc.constantFrom('arm64', 'x86_64'), invalid: ['arm', 'x86', 'amd64', ...noText] },
  zones: { valid: asText(whole(2, 3)), invalid: beyond(2, 3) },
  availabilityZones: {
    valid: fc.constantFrom({ 'us-east-1': ['us-east-1a', 'us-east-1d'] }, {}),
    invalid: [
      ['us-east-1a', 'us-east-1b'],
      { 'us-east-1': ['us-east-1a'] },
      { 'us-east-1': ['us-east-1a', 'us-east-1a'] },
      { 'us-east-1': ['use1-az1', 'use1-az2'] },
      { 'us-east-1': 'us-east-1a,us-east-1b' }
    ]
  },
  natPerZone: { valid: flag, invalid: noFlag },
  interfaceEndpoints: { valid: flag, invalid: noFlag },
  vpc: {
    valid: vpc.map((existing) => ({ 'eu-west-1': existing })),
    invalid: [
      'vpc-0a0a0a0a',
      { Ireland: anyVpc },
      { 'eu-west-1': { ...anyVpc, vpcId: 'vpc-123' } },
      { 'eu-west-1': { ...anyVpc, availabilityZones: ['a', 'b'] } },
      { 'eu-west-1': { ...anyVpc, availabilityZones: ['eu-west-1a', 'eu-west-1a'] } },
      { 'eu-west-1': { ...anyVpc, availabilityZones: ['eu-west-1a', 'eu-west-1b', 'eu-west-1c'] } },
      { 'eu-west-1': { ...anyVpc, publicSubnetIds: ['subnet-0a0a0a0a', 'subnet-0a0a0a0a'] } },
      { 'eu-west-1': { ...anyVpc, privateSubnetIds: ['subnet-x', 'subnet-y'] } }
    ]
  },
  domainName: {
    valid: host.filter((name) => name.length <= 64),
    invalid: [
      'https://hooks.example.com/',
      'hooks.example.com/',
      'hooks.example.com.',
      'hooks.example.com:443',
      'Hooks.example.com',
      '*.example.com',
      'hooks_.example.com',
      '-a.example.com',
      'a-.example.com',
      'a..example.com',
      'localhost',
      '192.0.2.1',
      'hooks.example.com ',
      `${'a'.repeat(64)}.com`,
      // the first name of a certificate has at most 64 characters
      `${'a.'.repeat(31)}com`,
      ...noText
    ]
  },
  hostedZoneId: {
    valid: fc.stringMatching(/^Z[A-Z0-9]{1,31}$/),
    invalid: ['Z', 'z0123', '/hostedzone/Z0123456789', `Z${'A'.repeat(32)}`, 'example.com', ...noText]
  },
  hostedZoneName: { valid: host, invalid: ['example.com.', 'https://example.com', 'com', ...noText] },
  dnsRecord: {
    valid: fc.constantFrom('latency', 'simple', 'none'),
    invalid: ['A', 'weighted', '', ...noText]
  },
  certificateArns: {
    valid: certificate.map(({ at, arn }) => ({ [at]: arn })),
    invalid: [
      { 'eu-west-1': 'arn:aws:acm:…' },
      { 'eu-west-1': 'arn:aws:iam::111111111111:server-certificate/own' },
      { 'eu-west-1': 'arn:aws:acm:eu-west-1:1111:certificate/own' },
      { ireland: 'arn:aws:acm:eu-west-1:111111111111:certificate/own' },
      'arn:aws:acm:eu-west-1:111111111111:certificate/own'
    ]
  },
  requestsPerIp: { valid: asText(whole(100, 2_000_000)), invalid: beyond(100, 2_000_000) },
  web: {
    valid: fc.record(
      {
        size: fc.constantFrom({ cpu: 256, memoryMiB: 512 }, { cpu: 4096, memoryMiB: 30_720 }),
        minimumTasks: whole(1, 1000),
        maximumTasks: whole(1, 1000),
        requestsPerTask: whole(1, 1_000_000),
        cpuPercent: whole(10, 90)
      },
      { requiredKeys: [] }
    ),
    invalid: [
      { size: { cpu: 256, memoryMiB: 4096 } },
      { minimumTasks: 0 },
      { cpuPercent: 95 },
      { tasks: 2 },
      'many'
    ]
  },
  worker: {
    valid: fc.record(
      { minimumTasks: whole(0, 1000), spot: flag, concurrency: whole(1, 1000) },
      { requiredKeys: [] }
    ),
    invalid: [
      { minimumTasks: -1 },
      { concurrency: 0 },
      { spot: 'yes' },
      { oldestSeconds: 1 },
      { backlogPerTask: 0 }
    ]
  },
  reconcileEvery: {
    valid: fc.constantFrom('never', 'rate(1 hour)', 'rate(30 minutes)', 'cron(0 8 ? * MON-FRI *)'),
    invalid: [
      'rate(1 hours)',
      'rate(hourly)',
      'cron(0 8 * * *)',
      'hourly',
      'at(2026-01-01T00:00:00)',
      '',
      ...noText
    ]
  },
  schedulesEvery: {
    valid: fc.constantFrom('never', 'rate(5 minutes)', 'cron(0 8 ? * MON-FRI *)'),
    invalid: ['rate(5 minute)', '*/5 * * * *', 'always']
  },
  canaryEvery: {
    valid: fc.oneof(
      fc.constant('never'),
      fc.integer({ min: 2, max: 59 }).map((minutes) => `rate(${minutes} minutes)`)
    ),
    invalid: [
      'rate(1 minute)',
      'rate(1 minutes)',
      'rate(60 minutes)',
      'rate(1 hour)',
      'hourly',
      '',
      ...noText
    ]
  },
  reconcileTypes: { valid: fc.constantFrom([], ['upload'], 'upload'), invalid: ['uploads', 'upload,upload'] },
  pollChannel: {
    valid: fc.stringMatching(/^[\w.-]{1,128}$/),
    invalid: ['', 'a b', 'a/b', 'ä', 'a'.repeat(129), ...noText]
  },
  activity: { valid: flag, invalid: noFlag },
  activityReadTokens: { valid: flag, invalid: noFlag },
  activityAllowedOrigins: {
    valid: host.map((name) => `https://${name},http://localhost:3000`),
    invalid: ['*', 'www.example.com', 'https://www.example.com/', 'https://a.example/x', 'ftp://a.example']
  },
  activityOidc: {
    valid: host.map((name) => ({
      issuer: `https://${name}`,
      authorizationEndpoint: `https://${name}/authorize`,
      tokenEndpoint: `https://${name}/token`,
      userInfoEndpoint: `https://${name}/userinfo`,
      clientId: 'listener'
    })),
    invalid: [{}, 'https://login.example.com', { issuer: 'https://login.example.com' }]
  },
  logRetentionDays: {
    valid: asText(fc.constantFrom(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731)),
    invalid: [0, 2, 91, '', 'never', null, true]
  },
  logLevel: {
    valid: fc.constantFrom('fatal', 'error', 'warn', 'info', 'debug', 'trace'),
    invalid: ['silent', 'INFO', '']
  },
  otlpEndpoint: {
    valid: host.map((name) => `http://${name}:4318`),
    invalid: [
      '',
      'collector:4318',
      'grpc://collector:4317',
      'http://user:word@collector.example.com',
      'https://collector.example.com/?key=1',
      'http://localhost:4318',
      'http://127.0.0.1:4318',
      ...noText
    ]
  },
  traceShare: {
    valid: asText(fc.constantFrom(0, 0.05, 0.5, 1)),
    invalid: [-0.1, 1.1, '1.1', '5%', '', null, true]
  },
  signatureToleranceSeconds: { valid: asText(whole(1, 86_400)), invalid: beyond(1, 86_400) },
  bodyLimitBytes: { valid: asText(whole(1024, 104_857_600)), invalid: beyond(1024, 104_857_600) },
  customerKey: { valid: flag, invalid: noFlag },
  retainData: { valid: flag, invalid: noFlag },
  journalIndexes: { valid: asText(whole(1, 3)), invalid: beyond(1, 3) },
  alarmEmails: {
    valid: fc.constantFrom([], 'a@example.com', 'a@example.com,b@example.com'),
    invalid: [...noEmail, 'a@example.com,a@example.com']
  },
  alarmTopicArns: {
    valid: fc.tuple(region, account).map(([at, of]) => ({ [at]: `arn:aws:sns:${at}:${of}:oncall-team_1` })),
    invalid: [
      { 'eu-west-1': 'oncall' },
      { 'eu-west-1': 'arn:aws:sqs:eu-west-1:111111111111:oncall' },
      // CloudWatch cannot publish to a FIFO topic
      { 'eu-west-1': 'arn:aws:sns:eu-west-1:111111111111:oncall.fifo' },
      'arn:aws:sns:eu-west-1:111111111111:oncall'
    ]
  },
  alarmOldestSeconds: { valid: asText(whole(60, 1_209_600)), invalid: beyond(60, 1_209_600) },
  alarmRefusedSignatures: { valid: asText(whole(1, 1_000_000)), invalid: beyond(1, 1_000_000) },
  archive: { valid: flag, invalid: noFlag },
  eventBus: {
    valid: fc.constantFrom('default', 'my-bus', 'media.assets_1'),
    invalid: ['', 'my bus', 'arn:aws:events:eu-west-1:111111111111:event-bus/assets', 'x'.repeat(257)]
  },
  notify: { valid: flag, invalid: noFlag },
  notifyEmails: { valid: fc.constantFrom([], 'a@example.com'), invalid: noEmail },
  notifyPhones: {
    valid: fc.stringMatching(/^\+[1-9]\d{6,14}$/),
    invalid: [
      '+0123456789',
      '0155',
      '+1 415 555 0100',
      '+12345',
      '+1234567890123456',
      '+14155550100,+14155550100'
    ]
  },
  cloudFrontDistributions: {
    valid: fc.uniqueArray(fc.stringMatching(/^E[A-Z0-9]{6,13}$/)),
    invalid: ['arn:aws:cloudfront::1:distribution/E123ABC', 'e123abc', 'E123ABC,E123ABC']
  },
  forward: { valid: flag, invalid: noFlag },
  database: { valid: fc.constantFrom('none', 'aurora', 'secret'), invalid: ['postgres', '', ...noText] },
  databaseCapacity: {
    valid: fc.tuple(whole(0, 512), whole(2, 512)).map(([a, b]) => ({ minimum: a / 2, maximum: b / 2 })),
    invalid: [{}, { minimum: 0.3, maximum: 1 }, { minimum: 1, maximum: 0.5 }, { minimum: 1, maximum: 257 }, 4]
  },
  variables: {
    valid: fc.dictionary(
      fc.stringMatching(/^CMS_[A-Z0-9_]{1,8}$/),
      fc.string().filter((text) => !text.includes('\0'))
    ),
    invalid: [{ 'cms-url': 'x' }, { PORT: '1' }, { CMS_A: 1 }, { CMS_A: 'a\0b' }, 'CMS_URL=x']
  },
  secretVariables: {
    valid: fc.uniqueArray(fc.stringMatching(/^CMS_[A-Z0-9_]{1,8}$/)),
    invalid: ['cms-url', 'FORWARD_SECRET', 'CMS_A,CMS_A']
  }
}

t.test(
  'every setting takes what AWS and the listener take, as JSON and as text, and nothing else',
  async (t) => {
    t.strictSame(Object.keys(GRAMMAR).sort(), Object.keys(SETTINGS).sort(), 'every setting has a grammar')
    for (const [name, { valid, invalid }] of Object.entries(GRAMMAR) as [Name, (typeof GRAMMAR)[Name]][]) {
      fc.assert(
        fc.property(valid, (value) => {
          t.ok(isValid(name, value), `${name}: ${JSON.stringify(value)}`)
          if (typeof value === 'object' && !Array.isArray(value)) {
            t.ok(isValid(name, JSON.stringify(value)), `${name} as text: ${JSON.stringify(value)}`)
          }
        }),
        { numRuns: 25 }
      )
      for (const value of invalid) t.notOk(isValid(name, value), `${name}: ${JSON.stringify(value)}`)
    }
  }
)

t.test('a setting that becomes a variable takes only what the variable takes', async (t) => {
  const pairs: [Name, keyof typeof VARIABLES][] = [
    ['signatureToleranceSeconds', 'SIGNATURE_TOLERANCE_SECONDS'],
    ['bodyLimitBytes', 'BODY_LIMIT_BYTES'],
    ['logLevel', 'LOG_LEVEL'],
    ['pollChannel', 'POLL_CHANNEL'],
    ['otlpEndpoint', 'OTEL_EXPORTER_OTLP_ENDPOINT'],
    ['traceShare', 'OTEL_TRACES_SAMPLER_ARG']
  ]
  for (const [name, variable] of pairs) {
    fc.assert(
      fc.property(GRAMMAR[name].valid, (value) => {
        t.ok(VARIABLES[variable].schema.safeParse(String(value)).success, `${variable}: ${value}`)
      }),
      { numRuns: 25 }
    )
  }
})

const TOPIC = 'arn:aws:sns:eu-west-1:111111111111:oncall'

t.test('settings that contradict each other are refused', async (t) => {
  const domain = { domainName: 'hooks.example.com', hostedZoneId: 'Z0123456789' }
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ ...domain, regions: 'us-east-1,eu-west-1', dnsRecord: 'simple' }, /^dnsRecord: /],
    [{ ...domain, hostedZoneName: 'example.org' }, /^hostedZoneName: /],
    [{ ...domain, hostedZoneName: 'ooks.example.com' }, /^hostedZoneName: /],
    [
      {
        domainName: 'hooks.example.com',
        hostedZoneName: 'example.com',
        certificateArns: { 'us-east-1': 'arn:aws:acm:us-east-1:111111111111:certificate/own' }
      },
      /^hostedZoneName: /
    ],
    [
      { ...domain, certificateArns: { 'eu-west-1': 'arn:aws:acm:eu-west-1:111111111111:certificate/own' } },
      /^certificateArns: names a region/
    ],
    [
      { ...domain, certificateArns: { 'us-east-1': 'arn:aws:acm:eu-west-1:111111111111:certificate/own' } },
      /^certificateArns: a certificate is in/
    ],
    [{ alarmTopicArns: { 'eu-west-1': TOPIC } }, /^alarmTopicArns: names/],
    [{ alarmTopicArns: { 'us-east-1': TOPIC } }, /^alarmTopicArns: a topic/],
    [
      { regions: 'eu-west-1', alarmTopicArns: { 'eu-west-1': TOPIC }, alarmEmails: 'a@example.com' },
      /^alarmEmails: /
    ],
    [{ availabilityZones: { 'eu-west-1': ['eu-west-1a', 'eu-west-1b'] } }, /^availabilityZones: names/],
    [{ availabilityZones: { 'us-east-1': ['eu-west-1a', 'eu-west-1b'] } }, /^availabilityZones: a zone/],
    [
      {
        regions: 'eu-west-1',
        vpc: { 'eu-west-1': anyVpc },
        availabilityZones: { 'eu-west-1': ['eu-west-1a', 'eu-west-1b'] }
      },
      /^availabilityZones: vpc/
    ],
    [{ regions: 'mx-central-1', database: 'aurora' }, /^database: the image has no/],
    [{ vpc: { 'eu-west-1': anyVpc } }, /^vpc: names a region/],
    [{ regions: 'us-east-1', vpc: { 'us-east-1': anyVpc } }, /^vpc: a zone is in/]
  ]
  for (const [context, problem] of cases) {
    t.match(readSettings(context), { outcome: 'invalid', problems: [problem] }, JSON.stringify(context))
  }
  for (const hostedZoneName of ['example.com', 'hooks.example.com']) {
    t.match(readSettings({ ...domain, hostedZoneName }), { outcome: 'valid' }, hostedZoneName)
  }
})
