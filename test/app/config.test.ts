import fc from 'fast-check'
import t from 'tap'
import { ConfigError, credentialSource, readConfig, VARIABLES, type VariableName } from '../../app/config.ts'
import { ListenerError } from '../../app/errors.ts'

const URL = 'cloudinary://123456789012345:aBc-_dEf@demo'

const DEFAULTS = {
  PORT: 8080,
  HOST: '0.0.0.0',
  LOG_LEVEL: 'info',
  CLOUDINARY_URL: undefined,
  CLOUDINARY_SECRET_ID: undefined,
  QUEUE_URL: undefined,
  DEAD_LETTER_QUEUE_URL: undefined,
  JOURNAL_TABLE: undefined,
  SIGNATURE_TOLERANCE_SECONDS: 7200,
  BODY_LIMIT_BYTES: 10 * 1024 * 1024,
  WORKER_CONCURRENCY: 50,
  WEBHOOK_URL: undefined,
  POLL_CHANNEL: undefined,
  DATABASE_URL: undefined,
  FORWARD_SECRET: undefined,
  NOTIFY_TOPIC_ARN: undefined,
  ARCHIVE_BUCKET: undefined,
  EVENT_BUS: undefined,
  ACTIVITY_PASSWORD: undefined,
  ACTIVITY_READ_TOKENS: undefined,
  ACTIVITY_ALLOWED_ORIGINS: undefined,
  METRICS_NAMESPACE: undefined,
  METRICS_PORT: undefined,
  OTEL_EXPORTER_OTLP_ENDPOINT: undefined,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: undefined,
  OTEL_EXPORTER_OTLP_PROTOCOL: undefined,
  OTEL_TRACES_SAMPLER: undefined,
  OTEL_TRACES_SAMPLER_ARG: undefined,
  LISTENER_CONFIG: './listener.config.ts'
}

function problemsOf(run: () => unknown): readonly string[] {
  try {
    run()
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

/** Returns the problem of a value; undefined if it is accepted. */
function problemOf(name: VariableName, value: string): string | undefined {
  const [line, ...more] = problemsOf(() => readConfig([], { [name]: value }))
  if (more.length > 0) throw new Error(`more than one problem: ${more.join('; ')}`)
  return line
}

t.test('returns the defaults if no variable is set', async (t) => {
  t.strictSame(readConfig([], {}), DEFAULTS)
})

t.test('an empty value counts as not set', async (t) => {
  const empty = Object.fromEntries(Object.keys(VARIABLES).map((name) => [name, '']))
  t.strictSame(readConfig([], empty), DEFAULTS)
})

t.test('reads the environment of the process by default', async (t) => {
  const before = process.env.WORKER_CONCURRENCY
  t.teardown(() => {
    if (before === undefined) delete process.env.WORKER_CONCURRENCY
    else process.env.WORKER_CONCURRENCY = before
  })
  process.env.WORKER_CONCURRENCY = '7'
  t.equal(readConfig().WORKER_CONCURRENCY, 7)
})

t.test('ignores other variables', async (t) => {
  t.strictSame(readConfig([], { AWS_REGION: 'eu-west-1', PATH: '/bin', constructor: 'x' }), DEFAULTS)
})

const ACCEPTED: { [Name in VariableName]: [string, unknown][] } = {
  PORT: [
    ['0', 0],
    ['80', 80],
    ['65535', 65_535]
  ],
  HOST: [
    ['127.0.0.1', '127.0.0.1'],
    ['::', '::'],
    ['localhost', 'localhost']
  ],
  LOG_LEVEL: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'].map((level) => [level, level]),
  CLOUDINARY_URL: [[URL, URL]],
  CLOUDINARY_SECRET_ID: [
    ['cloudinary/production', 'cloudinary/production'],
    ['x'.repeat(2048), 'x'.repeat(2048)]
  ],
  QUEUE_URL: [
    'https://sqs.eu-west-1.amazonaws.com/123456789012/events.fifo',
    'http://localhost:4566/000000000000/events.fifo'
  ].map((url) => [url, url]),
  DEAD_LETTER_QUEUE_URL: ['http://localhost:4566/0/letters.fifo'].map((url) => [url, url]),
  JOURNAL_TABLE: ['cloudinary-journal', 'arn:aws:dynamodb:eu-west-1:123456789012:table/journal', 'a.b_C'].map(
    (table) => [table, table]
  ),
  SIGNATURE_TOLERANCE_SECONDS: [
    ['1', 1],
    ['86400', 86_400]
  ],
  BODY_LIMIT_BYTES: [
    ['1024', 1024],
    ['104857600', 104_857_600]
  ],
  WORKER_CONCURRENCY: [
    ['1', 1],
    ['1000', 1000]
  ],
  WEBHOOK_URL: [
    'https://hooks.example.com/webhooks/cloudinary',
    'http://127.0.0.1:8080/webhooks/cloudinary'
  ].map((url) => [url, url]),
  POLL_CHANNEL: ['dev-anna', 'a', 'x'.repeat(128)].map((channel) => [channel, channel]),
  DATABASE_URL: [
    'postgres://user:word@db:5432/app',
    'postgresql://db/app?sslmode=require',
    'postgres:///app?host=/var/run/postgresql'
  ].map((url) => [url, url]),
  FORWARD_SECRET: [`whsec_${'A'.repeat(32)}`, `whsec_${'b+/'.repeat(28)}==`].map((secret) => [
    secret,
    secret
  ]),
  NOTIFY_TOPIC_ARN: [
    'arn:aws:sns:eu-west-1:123456789012:uploads',
    'arn:aws-cn:sns:cn-north-1:123456789012:a'
  ].map((arn) => [arn, arn]),
  ARCHIVE_BUCKET: ['abc', 'my-archive.2026', 'a'.repeat(63)].map((name) => [name, name]),
  EVENT_BUS: ['default', 'arn:aws:events:eu-west-1:123456789012:event-bus/assets'].map((name) => [
    name,
    name
  ]),
  ACTIVITY_PASSWORD: ['correct horse', 'pässwörter :,'].map((password) => [password, password]),
  ACTIVITY_READ_TOKENS: [
    ['0123456789abcdef', ['0123456789abcdef']],
    [' A-._~+/=6789abcdef, 0123456789abcdef,', ['A-._~+/=6789abcdef', '0123456789abcdef']]
  ],
  ACTIVITY_ALLOWED_ORIGINS: [
    ['https://www.example.com, http://localhost:3000', ['https://www.example.com', 'http://localhost:3000']]
  ],
  METRICS_NAMESPACE: ['Cloudinary/Listener', 'my team: hooks #2', 'x'.repeat(255)].map((name) => [
    name,
    name
  ]),
  METRICS_PORT: [
    ['1', 1],
    ['65535', 65_535]
  ],
  OTEL_EXPORTER_OTLP_ENDPOINT: ['http://localhost:4318', 'https://collector.example.com/otlp/'].map((url) => [
    url,
    url
  ]),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: ['http://localhost:4318/v1/traces'].map((url) => [url, url]),
  OTEL_EXPORTER_OTLP_PROTOCOL: [['http/protobuf', 'http/protobuf']],
  OTEL_TRACES_SAMPLER: ['always_off', 'traceidratio', 'parentbased_traceidratio'].map((name) => [name, name]),
  OTEL_TRACES_SAMPLER_ARG: [
    ['0', 0],
    ['.25', 0.25],
    ['0.5', 0.5],
    ['1.0', 1]
  ],
  LISTENER_CONFIG: ['other.ts', '/etc/listener.mts', '../listener.js', 'x.mjs'].map((path) => [path, path])
}

for (const [name, values] of Object.entries(ACCEPTED) as [VariableName, [string, unknown][]][]) {
  t.test(`accepts valid values of ${name}`, async (t) => {
    for (const [given, read] of values) {
      t.strictSame(readConfig([], { [name]: given }), { ...DEFAULTS, [name]: read }, given.slice(0, 80))
    }
  })
}

const NOT_WHOLE = ['-1', '1.5', '1e3', '0x10', ' 1', '1 ', 'one', '1_000', '9'.repeat(400)]

const REFUSED: Record<Exclude<VariableName, 'HOST'>, [string[], string]> = {
  PORT: [[...NOT_WHOLE, '65536'], 'a whole number from 0 to 65535'],
  LOG_LEVEL: [['verbose', 'INFO', 'toString'], 'one of fatal, error, warn, info, debug, trace, silent'],
  CLOUDINARY_URL: [
    ['https://api.cloudinary.com', 'k:s@demo', 'CLOUDINARY_URL=x'],
    'cloudinary://KEY:SECRET@CLOUD'
  ],
  CLOUDINARY_SECRET_ID: [['x'.repeat(2049), 'a b'], 'the name or ARN of a secret, at most 2048 characters'],
  QUEUE_URL: [
    [
      'events.fifo',
      'https://sqs.eu-west-1.amazonaws.com/123456789012/events',
      'ftp://host/events.fifo',
      'http://'
    ],
    'the http(s) URL of a FIFO queue, ending in .fifo'
  ],
  DEAD_LETTER_QUEUE_URL: [['letters'], 'the http(s) URL of a FIFO queue, ending in .fifo'],
  JOURNAL_TABLE: [
    ['ab', 'a table', 'x'.repeat(1025)],
    'the name or ARN of a table: 3 to 1024 letters, digits and any of . _ - : /'
  ],
  SIGNATURE_TOLERANCE_SECONDS: [[...NOT_WHOLE, '0', '86401'], 'a whole number of seconds from 1 to 86400'],
  BODY_LIMIT_BYTES: [
    [...NOT_WHOLE, '1023', '104857601'],
    'a whole number of bytes from 1024 to 104857600 (100 MiB)'
  ],
  WORKER_CONCURRENCY: [[...NOT_WHOLE, '0', '1001'], 'a whole number from 1 to 1000'],
  WEBHOOK_URL: [['hooks.example.com', 'ftp://host/'], 'an http(s) URL'],
  POLL_CHANNEL: [['a/b', 'x'.repeat(129), 'poll://a'], '1 to 128 letters, digits and any of . _ -'],
  DATABASE_URL: [['mysql://db/app', 'db:5432'], 'postgres://USER:PASSWORD@HOST:PORT/NAME'],
  FORWARD_SECRET: [
    ['secret', `whsec_${'A'.repeat(31)}`, `${'A'.repeat(40)}`],
    'whsec_ and 24 to 64 bytes in base64'
  ],
  NOTIFY_TOPIC_ARN: [
    ['uploads', 'arn:aws:sqs:eu-west-1:123456789012:uploads', 'arn:aws:sns:eu-west-1:1:uploads'],
    'the ARN of an SNS topic: arn:aws:sns:REGION:ACCOUNT:NAME'
  ],
  ARCHIVE_BUCKET: [
    ['ab', 'My-archive', 's3://archive', '-archive', 'a'.repeat(64)],
    'the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens'
  ],
  EVENT_BUS: [
    ['my bus', 'arn:aws:sns:eu-west-1:123456789012:uploads'],
    'the name or ARN of an event bus, such as default'
  ],
  ACTIVITY_PASSWORD: [['eleven char', 'with a \t in it', 'x'.repeat(257)], '12 to 256 printable characters'],
  ACTIVITY_READ_TOKENS: [
    ['short', '0123456789abcdef,short', 'with spaces in it', ','],
    'tokens of 16 to 256 letters, digits and any of . _ ~ + / = -, separated by commas'
  ],
  ACTIVITY_ALLOWED_ORIGINS: [
    ['*', 'www.example.com', 'https://www.example.com/', 'https://EXAMPLE.com', 'ftp://example.com'],
    'origins such as https://www.example.com, without a path, separated by commas'
  ],
  METRICS_NAMESPACE: [
    ['AWS/SQS', ' ', 'a$b', 'x'.repeat(256)],
    '1 to 255 letters, digits, spaces and any of . _ - / # :, not starting with AWS/'
  ],
  METRICS_PORT: [[...NOT_WHOLE, '0', '65536'], 'a whole number from 1 to 65535, other than PORT'],
  OTEL_EXPORTER_OTLP_ENDPOINT: [['localhost:4318', 'grpc://collector:4317'], 'an http(s) URL'],
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: [['collector'], 'an http(s) URL'],
  OTEL_EXPORTER_OTLP_PROTOCOL: [['grpc', 'http/json'], 'http/protobuf; gRPC is not supported'],
  OTEL_TRACES_SAMPLER: [
    ['always', 'xray'],
    'one of always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, parentbased_traceidratio'
  ],
  OTEL_TRACES_SAMPLER_ARG: [['1.5', '-1', '50%', '1e-3', '.', ''.padEnd(9, '1')], 'a number from 0 to 1'],
  LISTENER_CONFIG: [
    ['listener.config', 'listener.json', 'listener.cts'],
    'the path of a .ts, .mts, .js or .mjs file'
  ]
}

for (const [name, [values, allowed]] of Object.entries(REFUSED) as [VariableName, [string[], string]][]) {
  t.test(`rejects invalid values of ${name}, with the value and what is allowed`, async (t) => {
    for (const value of values) {
      const given =
        'secret' in VARIABLES[name]
          ? `The value of ${name} (hidden) is not valid:`
          : `${name} is ${JSON.stringify(value)};`
      t.equal(problemOf(name, value), `${given} it must be ${allowed}`)
    }
  })
}

t.test('says what is wrong with DATABASE_URL', async (t) => {
  t.match(
    problemOf('DATABASE_URL', 'postgres://user:word@db/app?sslmode=allow'),
    /^The value of DATABASE_URL \(hidden\) is not valid: its sslmode "allow" must be /
  )
  t.match(
    problemOf('DATABASE_URL', 'postgres:///app'),
    /^The value of DATABASE_URL \(hidden\) is not valid: .*host/
  )
})

t.test('reports all problems at once, one line each', async (t) => {
  const run = () => readConfig(['QUEUE_URL'], { PORT: 'x\ny', LOG_LEVEL: 'loud' })
  t.throws(run, { name: 'ConfigError', code: 'CONFIG_INVALID' })
  t.ok(new ConfigError([]) instanceof ListenerError)
  const problems = problemsOf(run)
  t.match(problems, [/^PORT is "x\\ny"; /, /^LOG_LEVEL is "loud"; /, /^QUEUE_URL is not set; /])
  t.equal(problems.length, 3)
  t.notMatch(problems.join(), '\n')
  t.throws(run, { message: problems.join('\n') })
})

t.test('rejects a required variable that is missing or empty', async (t) => {
  for (const env of [{}, { QUEUE_URL: '' }]) {
    t.strictSame(
      problemsOf(() => readConfig(['QUEUE_URL'], env)),
      ['QUEUE_URL is not set; it must be the http(s) URL of a FIFO queue, ending in .fifo']
    )
  }
})

t.test('reports an invalid required variable once', async (t) => {
  t.match(
    problemsOf(() => readConfig(['QUEUE_URL'], { QUEUE_URL: 'x' })),
    [/^QUEUE_URL is "x"; it must be /]
  )
  t.equal(problemsOf(() => readConfig(['QUEUE_URL'], { QUEUE_URL: 'x' })).length, 1)
})

t.test('returns a required variable that is set', async (t) => {
  const QUEUE_URL = 'http://localhost:4566/000000000000/events.fifo'
  t.equal(readConfig(['QUEUE_URL', 'PORT'], { QUEUE_URL, PORT: '1' }).QUEUE_URL, QUEUE_URL)
})

t.test('never repeats the value of CLOUDINARY_URL', async (t) => {
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9A-Z]{8,20}$/), (secret) => {
      const problems = problemsOf(() => readConfig(['QUEUE_URL'], { CLOUDINARY_URL: secret, PORT: 'x' }))
      t.equal(problems.length, 3)
      t.notOk(problems.join().includes(secret))
    })
  )
  const both = readConfig([], { CLOUDINARY_URL: URL, CLOUDINARY_SECRET_ID: 'id' })
  t.notMatch(problemsOf(() => credentialSource(both)).join(), 'aBc-_dEf')
})

t.test('requires exactly one source of credentials', async (t) => {
  const source = (env: Record<string, string>) => credentialSource(readConfig([], env))
  t.strictSame(source({ CLOUDINARY_URL: URL }), { url: URL })
  t.strictSame(source({ CLOUDINARY_SECRET_ID: 'id' }), { secretId: 'id' })
  const names = 'CLOUDINARY_URL and CLOUDINARY_SECRET_ID'
  t.strictSame(
    problemsOf(() => source({})),
    [`${names} are not set; set exactly one of them`]
  )
  t.strictSame(
    problemsOf(() => source({ CLOUDINARY_URL: URL, CLOUDINARY_SECRET_ID: 'id' })),
    [`${names} are both set; set exactly one of them`]
  )
})

t.test('every variable has a description', async (t) => {
  for (const [name, { meaning, allowed }] of Object.entries(VARIABLES)) {
    t.ok(meaning.length > 0 && allowed.length > 0, name)
  }
})

t.test('hides credentials in the wrong variable', async (t) => {
  const misplaced = 'cloudinary://key:the-secret@demo'
  for (const name of ['CLOUDINARY_SECRET_ID', 'QUEUE_URL', 'PORT']) {
    t.throws(() => readConfig([], { [name]: misplaced }), {
      message: `${name} (hidden) is not valid: it must be`
    })
    t.throws(() => readConfig([], { [name]: misplaced }), { message: /^((?!the-secret).)*$/s })
  }
  const hook = 'https://hooks.example/T00/CAPABILITY'
  t.throws(() => readConfig([], { POLL_CHANNEL: hook }), {
    message: 'POLL_CHANNEL is "https://hooks.example/…"; it must be'
  })
  const queue = 'https://sqs.eu-west-1.amazonaws.com/123456789012/standard'
  t.throws(() => readConfig([], { QUEUE_URL: queue }), { message: `QUEUE_URL is "${queue}"; it must be` })
  for (const secret of ['postgres://user:the-secret@db/assets', 'whsec_dGhlLXNlY3JldA==']) {
    t.throws(() => readConfig([], { WEBHOOK_URL: secret }), {
      message: 'The value of WEBHOOK_URL (hidden) is not valid: it must be'
    })
  }
})
