import { z } from 'zod'
import { problemOfDatabaseUrl } from './database-url.ts'
import { ListenerError } from './errors.ts'
import { type Env, inspectVariable, type VariableDefinition } from './inspect-variable.ts'

interface Variable<Schema extends z.ZodType> extends Omit<VariableDefinition, 'name'> {
  /** Meaning of the variable, for the table in the documentation. */
  meaning: string
  allowed: string
  schema: Schema
}

const variable = <Schema extends z.ZodType>(definition: Variable<Schema>) => definition

const wholeNumber = (minimum: number, maximum: number, fallback: number) =>
  z.string().regex(/^\d+$/).transform(Number).pipe(z.int().min(minimum).max(maximum)).default(fallback)

const fifoQueueUrl = z
  .url({ protocol: /^https?$/ })
  .endsWith('.fifo')
  .optional()

const httpUrl = z.url({ protocol: /^https?$/ }).optional()

/** Values separated by commas; spaces around them, and empty ones, are dropped. */
const listOf = (value: z.ZodType<string, string>) =>
  z
    .string()
    .transform((given) => given.split(',').map((part) => part.trim()))
    .transform((parts) => parts.filter((part) => part !== ''))
    .pipe(z.array(value).min(1))
    .optional()

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio'
] as const

/** The names of Cloudinary's poll channels. */
export const POLL_CHANNEL_NAME = /^[\w.-]{1,128}$/

/**
 * Every variable the listener reads, in the order of the documentation's table. The AWS SDK reads its own:
 * `AWS_REGION`, `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_SQS`, credentials, … So does the exporter of traces:
 * `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_RESOURCE_ATTRIBUTES`, … (docs/operations.md)
 */
export const VARIABLES = {
  PORT: variable({
    meaning: 'port that `web` and `activity` listen on; 0 selects a free one',
    allowed: 'a whole number from 0 to 65535',
    schema: wholeNumber(0, 65_535, 8080)
  }),
  HOST: variable({
    meaning: 'address that `web` and `activity` listen on',
    allowed: 'an IP address or a host name',
    schema: z.string().default('0.0.0.0')
  }),
  LOG_LEVEL: variable({
    meaning: 'lowest level that is logged',
    allowed: `one of ${LOG_LEVELS.join(', ')}`,
    schema: z.enum(LOG_LEVELS).default('info')
  }),
  CLOUDINARY_URL: variable({
    meaning: 'credentials: `cloudinary://KEY:SECRET@CLOUD[?upload_prefix=…&signature_algorithm=sha256]`',
    allowed: 'cloudinary://KEY:SECRET@CLOUD',
    secret: true,
    schema: z.string().startsWith('cloudinary://').optional()
  }),
  CLOUDINARY_SECRET_ID: variable({
    meaning:
      'name or ARN of a Secrets Manager secret that holds the credentials; instead of `CLOUDINARY_URL`',
    allowed: 'the name or ARN of a secret, at most 2048 characters',
    schema: z
      .string()
      .max(2048)
      .regex(/^[\w/+=.@:-]+$/)
      .refine((id) => !id.includes('://'))
      .optional()
  }),
  QUEUE_URL: variable({
    meaning: 'URL of the SQS FIFO queue',
    allowed: 'the http(s) URL of a FIFO queue, ending in .fifo',
    public: true,
    schema: fifoQueueUrl
  }),
  DEAD_LETTER_QUEUE_URL: variable({
    meaning: 'URL of the SQS FIFO queue for dead letters',
    allowed: 'the http(s) URL of a FIFO queue, ending in .fifo',
    public: true,
    schema: fifoQueueUrl
  }),
  JOURNAL_TABLE: variable({
    meaning: 'name or ARN of the DynamoDB table for the journal',
    allowed: 'the name or ARN of a table: 3 to 1024 letters, digits and any of . _ - : /',
    schema: z
      .string()
      .regex(/^[\w.:/-]{3,1024}$/)
      .optional()
  }),
  SIGNATURE_TOLERANCE_SECONDS: variable({
    meaning:
      'maximum age of a notification; a timestamp in the future is accepted up to the same limit, at most 300 s',
    allowed: 'a whole number of seconds from 1 to 86400',
    schema: wholeNumber(1, 86_400, 7200)
  }),
  BODY_LIMIT_BYTES: variable({
    meaning: 'maximum size of a notification',
    allowed: 'a whole number of bytes from 1024 to 104857600 (100 MiB)',
    schema: wholeNumber(1024, 104_857_600, 10_485_760)
  }),
  WORKER_CONCURRENCY: variable({
    meaning: 'number of assets whose events one worker processes at a time',
    allowed: 'a whole number from 1 to 1000',
    schema: wholeNumber(1, 1000, 50)
  }),
  WEBHOOK_URL: variable({
    meaning:
      'public URL of the webhook: where Cloudinary reports the result of `videoPreprocess`, what `doctor` looks ' +
      'for in triggers, and the default of `--url` of `setup` and `canary`',
    allowed: 'an http(s) URL',
    schema: httpUrl
  }),
  POLL_CHANNEL: variable({
    meaning: 'Cloudinary poll channel that `poll` reads',
    allowed: '1 to 128 letters, digits and any of . _ -',
    schema: z.string().regex(POLL_CHANNEL_NAME).optional()
  }),
  DATABASE_URL: variable({
    meaning: 'PostgreSQL database of `databaseSync`: `postgres://USER:PASSWORD@HOST:PORT/NAME`',
    allowed: 'postgres://USER:PASSWORD@HOST:PORT/NAME',
    secret: true,
    problem: problemOfDatabaseUrl,
    schema: z
      .string()
      .refine((url) => problemOfDatabaseUrl(url) === undefined)
      .optional()
  }),
  FORWARD_SECRET: variable({
    meaning: 'key that `forward` signs with, as in Standard Webhooks: `whsec_` and 24 to 64 bytes in base64',
    allowed: 'whsec_ and 24 to 64 bytes in base64',
    secret: true,
    schema: z
      .string()
      .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/)
      .optional()
  }),
  NOTIFY_TOPIC_ARN: variable({
    meaning: 'SNS topic that `notify` publishes to',
    allowed: 'the ARN of an SNS topic: arn:aws:sns:REGION:ACCOUNT:NAME',
    schema: z
      .string()
      .regex(/^arn:aws[\w-]*:sns:[\w-]+:\d{12}:[\w.-]{1,260}$/)
      .optional()
  }),
  ARCHIVE_BUCKET: variable({
    meaning: 'S3 bucket that `archive` stores events in',
    allowed: 'the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens',
    schema: z
      .string()
      .regex(/^(?=.{3,63}$)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])$/)
      .optional()
  }),
  EVENT_BUS: variable({
    meaning: 'EventBridge bus that `eventBridge` sends events to',
    allowed: 'the name or ARN of an event bus, such as default',
    schema: z
      .string()
      .regex(/^(?:arn:aws[\w-]*:events:[\w-]+:\d{12}:event-bus\/)?[\w./-]{1,256}$/)
      .optional()
  }),
  ACTIVITY_PASSWORD: variable({
    meaning: 'password of the activity page, for the user name `listener`',
    allowed: '12 to 256 printable characters',
    secret: true,
    schema: z
      .string()
      .regex(/^\P{Cc}{12,256}$/u)
      .optional()
  }),
  ACTIVITY_READ_TOKENS: variable({
    meaning: 'bearer tokens that read the activity feed without payloads and errors, separated by commas',
    allowed: 'tokens of 16 to 256 letters, digits and any of . _ ~ + / = -, separated by commas',
    secret: true,
    schema: listOf(z.string().regex(/^[\w.~+/=-]{16,256}$/))
  }),
  ACTIVITY_ALLOWED_ORIGINS: variable({
    meaning: 'origins of pages that may read the activity feed from a browser, separated by commas',
    allowed: 'origins such as https://www.example.com, without a path, separated by commas',
    schema: listOf(z.string().refine(isOrigin))
  }),
  METRICS_NAMESPACE: variable({
    meaning:
      'CloudWatch namespace of the metrics, which are written as log lines; not set: none in CloudWatch',
    allowed: '1 to 255 letters, digits, spaces and any of . _ - / # :, not starting with AWS/',
    schema: z
      .string()
      .regex(/^(?!AWS\/)(?=.*\S)[\w./#: -]{1,255}$/)
      .optional()
  }),
  METRICS_PORT: variable({
    meaning:
      'port that serves the metrics to Prometheus at `/metrics`, without a password; not set: not served',
    allowed: 'a whole number from 1 to 65535, other than PORT',
    schema: z.string().regex(/^\d+$/).transform(Number).pipe(z.int().min(1).max(65_535)).optional()
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: variable({
    meaning:
      'OpenTelemetry collector that receives traces by OTLP over HTTP at `/v1/traces`; not set: no traces',
    allowed: 'an http(s) URL',
    schema: httpUrl
  }),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: variable({
    meaning: 'complete URL that receives traces; instead of `OTEL_EXPORTER_OTLP_ENDPOINT`',
    allowed: 'an http(s) URL',
    schema: httpUrl
  }),
  OTEL_EXPORTER_OTLP_PROTOCOL: variable({
    meaning: 'protocol of the collector',
    allowed: 'http/protobuf; gRPC is not supported',
    schema: z.literal('http/protobuf').optional()
  }),
  OTEL_TRACES_SAMPLER: variable({
    meaning: "which traces are sampled; not set: follows the sender's decision; without one, samples all",
    allowed: `one of ${SAMPLERS.join(', ')}`,
    schema: z.enum(SAMPLERS).optional()
  }),
  OTEL_TRACES_SAMPLER_ARG: variable({
    meaning: 'share of the traces that a sampler with `traceidratio` samples; not set: 1',
    allowed: 'a number from 0 to 1',
    schema: z
      .string()
      .regex(/^\d*\.?\d+$/)
      .transform(Number)
      .pipe(z.number().max(1))
      .optional()
  }),
  LISTENER_CONFIG: variable({
    meaning: 'path of the listener configuration, relative to the working directory',
    allowed: 'the path of a .ts, .mts, .js or .mjs file',
    schema: z
      .string()
      .regex(/\.m?[jt]s$/)
      .default('./listener.config.ts')
  })
}

export type VariableName = keyof typeof VARIABLES

/** The validated environment: each variable's value or default, or undefined. */
export type Config = { [Name in VariableName]: z.output<(typeof VARIABLES)[Name]['schema']> }

/** The variables for credentials, of which exactly one must be set. */
export type Credentials = Partial<Pick<Config, 'CLOUDINARY_URL' | 'CLOUDINARY_SECRET_ID'>>

/** Thrown when variables are missing or invalid. */
export class ConfigError extends ListenerError {
  /** One line each: the variable, its value (never a secret) and what is allowed. */
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super('CONFIG_INVALID', problems.join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** A missing or invalid variable, and the line that reports it. */
export interface ConfigProblem {
  name: VariableName
  line: string
}

/** This process's environment. No other module reads `process.env`. */
export const PROCESS_ENV: Env = process.env

/**
 * Reads and validates the environment. An empty value counts as not set.
 *
 * @param required variables without a default that must be set
 * @throws {ConfigError}
 */
export function readConfig<Required extends VariableName = never>(
  required: readonly Required[] = [],
  env?: Env
): Config & { [Name in Required]: NonNullable<Config[Name]> } {
  const { config, problems } = inspectConfig(required, env)
  if (problems.length > 0) throw new ConfigError(problems.map(({ line }) => line))
  return config as ReturnType<typeof readConfig<Required>>
}

/** Reads the environment like `readConfig`, but returns the problems beside the valid values. */
export function inspectConfig(
  required: readonly VariableName[],
  env: Env = PROCESS_ENV
): { config: Partial<Config>; problems: ConfigProblem[] } {
  const problems: ConfigProblem[] = []
  const config: Record<string, unknown> = {}
  for (const name of Object.keys(VARIABLES) as VariableName[]) {
    const result = inspectVariable({ name, ...VARIABLES[name] }, env)
    if (result.outcome === 'valid') config[name] = result.value
    else problems.push({ name, line: result.problem })
  }
  for (const name of required) {
    if (!env[name]) problems.push({ name, line: `${name} is not set; it must be ${VARIABLES[name].allowed}` })
  }
  return { config, problems }
}

/**
 * Returns where the credentials are.
 *
 * @throws {ConfigError} unless exactly one of CLOUDINARY_URL and CLOUDINARY_SECRET_ID is set
 */
export function credentialSource(config: Credentials): { url: string } | { secretId: string } {
  const { CLOUDINARY_URL: url, CLOUDINARY_SECRET_ID: secretId } = config
  if (url && !secretId) return { url }
  if (secretId && !url) return { secretId }
  throw new ConfigError([
    `CLOUDINARY_URL and CLOUDINARY_SECRET_ID are ${url ? 'both' : 'not'} set; set exactly one of them`
  ])
}

/** Checks that a value is an origin as browsers send it in the header Origin. */
function isOrigin(value: string): boolean {
  return /^https?:/.test(value) && URL.canParse(value) && new URL(value).origin === value
}
