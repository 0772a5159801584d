import { z } from 'zod'
import { problemOfDatabaseUrl } from './database-url.ts'
import { ListenerError } from './errors.ts'
import { maskSecrets } from './mask.ts'

interface Variable<T extends z.ZodType> {
  /** What it is for, as the documentation's table prints it. */
  meaning: string
  /** What a value must be, as the error for a bad one prints it. */
  allowed: string
  /** Never repeat the value given in an error. */
  secret?: true
  /** Says what is wrong with a value that `schema` refuses, where `allowed` is not enough. Repeats no secret. */
  problem?: (given: string) => string | undefined
  schema: T
}

const variable = <T extends z.ZodType>(definition: Variable<T>): Variable<T> => definition

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

/**
 * Every variable the listener reads, in the order the documentation lists them. The AWS SDK reads its own
 * (`AWS_REGION`, `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_SQS`, credentials, …) and they are not repeated here.
 */
export const VARIABLES = {
  PORT: variable({
    meaning: 'port that `web` and `activity` listen on; 0 takes a free one',
    allowed: 'a whole number from 0 to 65535',
    schema: wholeNumber(0, 65_535, 8080)
  }),
  HOST: variable({
    meaning: 'address that `web` and `activity` listen on',
    allowed: 'an IP address or a host name',
    schema: z.string().default('0.0.0.0')
  }),
  LOG_LEVEL: variable({
    meaning: 'least severe level that is logged',
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
    schema: fifoQueueUrl
  }),
  DEAD_LETTER_QUEUE_URL: variable({
    meaning: 'URL of the SQS FIFO queue for events that cannot be processed',
    allowed: 'the http(s) URL of a FIFO queue, ending in .fifo',
    schema: fifoQueueUrl
  }),
  JOURNAL_TABLE: variable({
    meaning: 'name or ARN of the DynamoDB table that remembers what was done',
    allowed: 'the name or ARN of a table: 3 to 1024 letters, digits and any of . _ - : /',
    schema: z
      .string()
      .regex(/^[\w.:/-]{3,1024}$/)
      .optional()
  }),
  SIGNATURE_TOLERANCE_SECONDS: variable({
    meaning: 'how old a notification may be; one from the future may be 300 s ahead, or this if it is less',
    allowed: 'a whole number of seconds from 1 to 86400',
    schema: wholeNumber(1, 86_400, 7200)
  }),
  BODY_LIMIT_BYTES: variable({
    meaning: 'largest notification that is read',
    allowed: 'a whole number of bytes from 1024 to 104857600 (100 MiB)',
    schema: wholeNumber(1024, 104_857_600, 10_485_760)
  }),
  WORKER_CONCURRENCY: variable({
    meaning: 'assets whose events one worker processes at a time',
    allowed: 'a whole number from 1 to 1000',
    schema: wholeNumber(1, 1000, 50)
  }),
  WEBHOOK_URL: variable({
    meaning: "the webhook's public address, for calls that ask Cloudinary to notify it of their result",
    allowed: 'an http(s) URL',
    schema: httpUrl
  }),
  POLL_CHANNEL: variable({
    meaning: 'the Cloudinary poll channel that `poll` takes notifications from',
    allowed: '1 to 128 letters, digits and any of . _ -',
    schema: z
      .string()
      .regex(/^[\w.-]{1,128}$/)
      .optional()
  }),
  DATABASE_URL: variable({
    meaning: 'the PostgreSQL database of `databaseSync`: `postgres://USER:PASSWORD@HOST:PORT/NAME`',
    allowed: 'postgres://USER:PASSWORD@HOST:PORT/NAME',
    secret: true,
    problem: problemOfDatabaseUrl,
    schema: z
      .string()
      .refine((url) => problemOfDatabaseUrl(url) === undefined)
      .optional()
  }),
  FORWARD_SECRET: variable({
    meaning: 'what `forward` signs with: `whsec_` and 24 to 64 bytes in base64, as Standard Webhooks has it',
    allowed: 'whsec_ and 24 to 64 bytes in base64',
    secret: true,
    schema: z
      .string()
      .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/)
      .optional()
  }),
  NOTIFY_TOPIC_ARN: variable({
    meaning: 'the SNS topic that `notify` publishes to',
    allowed: 'the ARN of an SNS topic: arn:aws:sns:REGION:ACCOUNT:NAME',
    schema: z
      .string()
      .regex(/^arn:aws[\w-]*:sns:[\w-]+:\d{12}:[\w.-]{1,260}$/)
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
      'the CloudWatch namespace that metrics are written for, as lines of the log; without it there are none',
    allowed: '1 to 255 letters, digits, spaces and any of . _ - / # :, not starting with AWS/',
    schema: z
      .string()
      .regex(/^(?!AWS\/)(?=.*\S)[\w./#: -]{1,255}$/)
      .optional()
  }),
  LISTENER_CONFIG: variable({
    meaning: "path of the processors' file, from the working directory",
    allowed: 'the path of a .ts, .mts, .js or .mjs file',
    schema: z
      .string()
      .regex(/\.m?[jt]s$/)
      .default('./listener.config.ts')
  })
}

export type VariableName = keyof typeof VARIABLES

/** The environment, validated: each variable's value, its default, or undefined. */
export type Config = { [Name in VariableName]: z.output<(typeof VARIABLES)[Name]['schema']> }

/** The two variables of which one says where the credentials are. */
export type Credentials = Partial<Pick<Config, 'CLOUDINARY_URL' | 'CLOUDINARY_SECRET_ID'>>

/** Thrown when variables are bad or missing; each fault is one line. */
export class ConfigError extends ListenerError {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super('CONFIG_INVALID', faults.join('\n'))
    this.name = 'ConfigError'
    this.faults = faults
  }
}

/** A process's environment. */
export type Env = Readonly<Record<string, string | undefined>>

/** A variable that is bad or missing, and the line that says so. */
export interface ConfigFault {
  name: VariableName
  line: string
}

/**
 * Reads and validates the environment: the one place that does. An empty value counts as not set.
 *
 * @param required variables without a default that the caller cannot do without
 * @throws {ConfigError} one line for each fault: the variable, what was given (never a secret's value) and
 *   what is allowed
 */
export function readConfig<Required extends VariableName = never>(
  required: readonly Required[] = [],
  env: Env = process.env
): Config & { [Name in Required]: NonNullable<Config[Name]> } {
  const { config, faults } = inspectConfig(required, env)
  if (faults.length > 0) throw new ConfigError(faults.map(({ line }) => line))
  return config as ReturnType<typeof readConfig<Required>>
}

/** What of the environment is good, and what is not: for who wants to say all that is wrong, not only this. */
export function inspectConfig(
  required: readonly VariableName[],
  env: Env = process.env
): { config: Partial<Config>; faults: ConfigFault[] } {
  const faults: ConfigFault[] = []
  const config: Record<string, unknown> = {}
  for (const name of Object.keys(VARIABLES) as VariableName[]) {
    const found = inspectVariable({ name, ...(VARIABLES[name] as Variable<z.ZodType>) }, env)
    if (found.outcome === 'valid') config[name] = found.value
    else faults.push({ name, line: found.line })
  }
  for (const name of required) {
    if (!env[name]) faults.push({ name, line: `${name} is not set; it must be ${VARIABLES[name].allowed}` })
  }
  return { config, faults }
}

/** A variable, and how its value is validated; without a schema any text will do. */
export interface VariableDefinition extends Partial<Omit<Variable<z.ZodType>, 'meaning' | 'secret'>> {
  name: string
  secret?: boolean
}

/** The value of a variable, or the line that says what is wrong with it. */
export type InspectedVariable =
  | { outcome: 'valid'; value: unknown }
  | { outcome: 'invalid'; isSet: boolean; line: string }

/** Reads one variable. An empty value counts as not set. */
export function inspectVariable(definition: VariableDefinition, env: Env = process.env): InspectedVariable {
  const { name, schema = ANY_TEXT, allowed, problem, secret } = definition
  const given = env[name] || undefined
  const { success, data, error } = parse(schema, given)
  if (success) return { outcome: 'valid', value: data }
  const isSet = given !== undefined
  const mustBe = allowed === undefined ? undefined : `it must be ${allowed}`
  if (!isSet) return { outcome: 'invalid', isSet, line: `${name} is not set; ${mustBe ?? 'give it a value'}` }
  const isHidden = secret || holdsSecret(given)
  // that of a queue authorizes nobody, and may be all but right
  const shown = JSON.stringify(schema === fifoQueueUrl ? given : maskSecrets(given))
  const line = `${name} is ${isHidden ? '(hidden)' : shown}; ${problem?.(given) ?? mustBe ?? messagesOf(error)}`
  return { outcome: 'invalid', isSet, line }
}

const ANY_TEXT = z.string()

function parse(schema: z.ZodType, given: string | undefined): z.ZodSafeParseResult<unknown> {
  try {
    return schema.safeParse(given)
  } catch {
    // what a transformation throws may hold the value
    const message = 'its schema cannot read it'
    return {
      success: false,
      error: new z.ZodError([{ code: 'custom', path: [], input: undefined, message }])
    }
  }
}

/** Whether browsers would send it as the header Origin. */
function isOrigin(value: string): boolean {
  return /^https?:/.test(value) && URL.canParse(value) && new URL(value).origin === value
}

const messagesOf = ({ issues }: z.ZodError) => issues.map(({ message }) => message).join('; ')

/** Credentials that were put into the wrong variable are no less secret for it. */
const holdsSecret = (value: string) => /cloudinary:\/\/|whsec_|:\/\/[^/]*@/.test(value)

/**
 * Where the credentials are.
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
