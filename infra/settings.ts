import { z } from 'zod'
import { CHANGE_KINDS } from '../app/commands/reconcile/change-kinds.ts'
import { POLL_CHANNEL_NAME } from '../app/config.ts'
import { JOURNAL_INDEXES } from '../app/journal/journal-table.ts'
import { isScheduleExpression } from './schedule-expression.ts'
import {
  activityOrigin,
  availabilityZones,
  byRegion,
  certificateArn,
  certificateName,
  existingVpc,
  flag,
  hostedZoneId,
  hostName,
  json,
  list,
  logRetentionDays,
  oidcProvider,
  otlpEndpoint,
  processorVariable,
  region,
  share,
  taskSize,
  topicArn,
  variableValue,
  wholeNumber
} from './setting-values.ts'

interface Setting<Schema extends z.ZodType> {
  /** Meaning of the setting, for the table in the documentation. */
  meaning: string
  schema: Schema
}

const setting = <Schema extends z.ZodType>(definition: Setting<Schema>) => definition

/**
 * Every setting in the `context` of cdk.json or of `-c name=value`, in the order of the documentation's
 * table. Sizes and limits are per region.
 */
export const SETTINGS = {
  name: setting({
    meaning:
      'prefix of all resource names: lower case, at most 31 characters, no hyphen at the end or next to another one',
    schema: z
      .string()
      .regex(
        /^(?=.{2,31}$)[a-z](?:-?[a-z0-9])+$/,
        'is not 2 to 31 lower-case letters, digits and single hyphens, with a letter first'
      )
      .default('cloudinary-listener')
  }),
  regions: setting({
    meaning: 'AWS regions; the first one has the secrets and the journal, the others have replicas',
    schema: list(region).pipe(z.array(z.string()).min(1).max(5)).default(['us-east-1'])
  }),
  homeRegion: setting({
    meaning: 'region that runs `reconcile`, `schedules` and `poll`; not set: the first one',
    schema: region.optional()
  }),
  architecture: setting({
    meaning: 'CPU architecture of the tasks; arm64 costs 20 % less',
    schema: z.enum(['arm64', 'x86_64']).default('arm64')
  }),

  zones: setting({ meaning: 'number of availability zones', schema: wholeNumber(2, 3).default(2) }),
  availabilityZones: setting({
    meaning:
      'zones by region: `{"us-east-1": ["us-east-1a", "us-east-1c"]}`; not set: the first `zones`. Choose before the first deployment, ' +
      'without zones that [have no Fargate](#inbound-traffic)',
    schema: byRegion(availabilityZones).default({})
  }),
  natPerZone: setting({
    meaning: 'one NAT gateway per zone; false: a single one, which is cheaper',
    schema: flag.default(false)
  }),
  interfaceEndpoints: setting({
    meaning:
      'private endpoints for SQS, Secrets Manager, ECR and logs; false: those calls use the NAT gateway',
    schema: flag.default(true)
  }),
  vpc: setting({
    meaning:
      'existing VPC by region: `{"eu-west-1": {"vpcId", "availabilityZones", "publicSubnetIds", "privateSubnetIds"}}`',
    schema: byRegion(existingVpc).default({})
  }),

  domainName: setting({
    meaning: 'host name of the webhook, such as hooks.example.com',
    schema: certificateName.optional()
  }),
  hostedZoneId: setting({
    meaning: 'Route 53 hosted zone for the certificate and the DNS record',
    schema: hostedZoneId.optional()
  }),
  hostedZoneName: setting({
    meaning: 'name of that zone; not set: `domainName` without its first label, or all of it if it has two',
    schema: hostName.optional()
  }),
  dnsRecord: setting({
    meaning:
      'DNS record of `domainName` in that zone: `latency`; or, for a deployment that has a simple record, `simple`, and `none` ' +
      'while it [moves](#several-regions)',
    schema: z.enum(['latency', 'simple', 'none']).default('latency')
  }),
  certificateArns: setting({
    meaning: 'existing certificates by region: `{"eu-west-1": "arn:…"}`',
    schema: byRegion(certificateArn).default({})
  }),
  requestsPerIp: setting({
    meaning:
      'requests in five minutes above which the firewall blocks an address; Cloudinary sends from few addresses',
    schema: wholeNumber(100, 2_000_000).default(100_000)
  }),

  web: setting({
    meaning: 'the web role; scales on `requestsPerTask` per minute and on `cpuPercent`',
    schema: json(
      z.strictObject({
        size: taskSize.default({ cpu: 512, memoryMiB: 1024 }),
        minimumTasks: wholeNumber(1, 1000).default(2),
        maximumTasks: wholeNumber(1, 1000).default(10),
        requestsPerTask: wholeNumber(1, 1_000_000).default(6000),
        cpuPercent: wholeNumber(10, 90).default(60)
      })
    ).prefault({})
  }),
  worker: setting({
    meaning:
      'the worker role; `minimumTasks` 0 allows scaling to zero; scales on `backlogPerTask` waiting messages, on `cpuPercent`, ' +
      'on `busyPercent` of `concurrency` (WORKER_CONCURRENCY), and when the oldest message waits `oldestSeconds`; `spot` runs ' +
      'three of four additional tasks on Fargate Spot',
    schema: json(
      z.strictObject({
        size: taskSize.default({ cpu: 512, memoryMiB: 1024 }),
        minimumTasks: wholeNumber(0, 1000).default(1),
        maximumTasks: wholeNumber(1, 1000).default(20),
        concurrency: wholeNumber(1, 1000).default(50),
        backlogPerTask: wholeNumber(1, 1_000_000).default(500),
        cpuPercent: wholeNumber(20, 90).default(60),
        busyPercent: wholeNumber(10, 90).default(70),
        oldestSeconds: wholeNumber(10, 86_400).default(120),
        spot: flag.default(false)
      })
    ).prefault({})
  }),
  reconcileEvery: setting({
    meaning:
      'schedule of `reconcile` as an EventBridge Scheduler expression, or `never`; in the home region only',
    schema: z
      .string()
      .refine((given) => given === 'never' || isScheduleExpression(given), {
        error: 'is not `never`, a rate such as rate(1 hour) or rate(30 minutes), or a cron(…) of six fields'
      })
      .default('rate(1 hour)')
  }),
  reconcileTypes: setting({
    meaning:
      'types that `reconcile` checks, if Cloudinary does not notify all: `upload`, `resource_tags_changed`, …; empty: all',
    schema: list(z.enum(CHANGE_KINDS.map(({ type }) => type))).default([])
  }),
  schedulesEvery: setting({
    meaning:
      'how often `schedules` looks for schedules that are due, such as rate(5 minutes), or `never`; in the home region only',
    schema: z
      .string()
      .refine((given) => given === 'never' || isScheduleExpression(given), {
        error: 'is not `never`, a rate such as rate(5 minutes), or a cron(…) of six fields'
      })
      .default('never')
  }),
  canaryEvery: setting({
    meaning:
      'schedule of `canary` in each region, `rate(N minutes)` with N from 2 to 59, or `never`; needs `domainName`',
    schema: z
      .string()
      .regex(
        /^(never|rate\(([2-9]|[1-5]\d) minutes\))$/,
        'is not `never` or rate(N minutes) with N from 2 to 59'
      )
      .default('never')
  }),
  pollChannel: setting({
    meaning: 'Cloudinary poll channel; if set, the home region runs `poll`',
    schema: z.string().regex(POLL_CHANNEL_NAME).optional()
  }),

  activity: setting({
    meaning:
      'run the role `activity` in each region: its page at /activity, with the password of the secret `NAME/activity`',
    schema: flag.default(false)
  }),
  activityReadTokens: setting({
    meaning: 'create the secret `NAME/activity/tokens` and pass it to `activity` as ACTIVITY_READ_TOKENS',
    schema: flag.default(false)
  }),
  activityAllowedOrigins: setting({
    meaning: 'ACTIVITY_ALLOWED_ORIGINS: pages that may read the feed from a browser, with a read token',
    schema: list(activityOrigin).default([])
  }),
  activityOidc: setting({
    meaning:
      'OpenID Connect provider at which people log in before the load balancer forwards them to `activity`: ' +
      '`{"issuer", "authorizationEndpoint", "tokenEndpoint", "userInfoEndpoint", "clientId"}`; the client secret is in ' +
      'the secret `NAME/activity/oidc`, whose version `clientSecretVersion` may name',
    schema: json(oidcProvider).optional()
  }),

  logRetentionDays: setting({
    meaning: 'retention of logs and access logs, in days',
    schema: logRetentionDays.default(90)
  }),
  logLevel: setting({
    meaning: 'LOG_LEVEL',
    schema: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace']).default('info')
  }),
  otlpEndpoint: setting({
    meaning:
      'URL of an [OpenTelemetry collector](operations.md#tracing), such as http://collector.internal:4318, to which all roles ' +
      'send traces; not set: no traces',
    schema: otlpEndpoint.optional()
  }),
  traceShare: setting({
    meaning: 'share of the traces that are sampled, from 0 to 1, unless the sender of the request decides',
    schema: share.default(1)
  }),
  signatureToleranceSeconds: setting({
    meaning: 'SIGNATURE_TOLERANCE_SECONDS',
    schema: wholeNumber(1, 86_400).default(7200)
  }),
  bodyLimitBytes: setting({
    meaning: 'BODY_LIMIT_BYTES; the firewall blocks a larger Content-Length',
    schema: wholeNumber(1024, 104_857_600).default(10_485_760)
  }),

  customerKey: setting({
    meaning:
      'encrypt queues, topics, logs and (with one region) secrets and journal with your own KMS keys, rotated every year',
    schema: flag.default(false)
  }),
  retainData: setting({
    meaning: 'keep secrets, journal, queues and logs when a stack is deleted; false for a trial',
    schema: flag.default(true)
  }),

  journalIndexes: setting({
    meaning:
      'number of indexes of the journal; CloudFormation adds one per update, so deploy a table of 0.2.0 with 2 first',
    schema: wholeNumber(1, JOURNAL_INDEXES.length).default(JOURNAL_INDEXES.length)
  }),
  alarmEmails: setting({ meaning: 'recipients of alarms', schema: list(z.email()).default([]) }),
  alarmTopicArns: setting({
    meaning:
      'existing SNS topics for alarms by region, instead of a new one: `{"eu-west-1": "arn:…"}`; CloudWatch and EventBridge must ' +
      'be allowed to publish to them',
    schema: byRegion(topicArn).default({})
  }),
  alarmOldestSeconds: setting({
    meaning: 'age of the oldest event, retries included, that raises `OldestMessage`',
    schema: wholeNumber(60, 1_209_600).default(900)
  }),
  alarmRefusedSignatures: setting({
    meaning: 'notifications with a bad signature in five minutes that raise `RefusedSignatures`',
    schema: wholeNumber(1, 1_000_000).default(10)
  }),
  notify: setting({
    meaning: 'create the SNS topic of the processor `notify`',
    schema: flag.default(false)
  }),
  notifyEmails: setting({
    meaning: 'subscribers of that topic by e-mail',
    schema: list(z.email()).default([])
  }),
  notifyPhones: setting({
    meaning: 'subscribers of that topic by text message, such as +14155550100',
    schema: list(
      z.string().regex(/^\+[1-9]\d{6,14}$/, 'is not a phone number with its country, such as +14155550100')
    ).default([])
  }),
  cloudFrontDistributions: setting({
    meaning: 'ids of CloudFront distributions whose paths the processor `publish` may invalidate',
    schema: list(z.string().regex(/^[A-Z0-9]{6,20}$/, 'is not the id of a distribution')).default([])
  }),
  forward: setting({
    meaning: 'create the secret `NAME/forward` and pass it to `worker` as FORWARD_SECRET',
    schema: flag.default(false)
  }),
  archive: setting({
    meaning: 'create the S3 bucket of the processor `archive`: `NAME-archive-ACCOUNT`, in the first region',
    schema: flag.default(false)
  }),
  eventBus: setting({
    meaning:
      'name of an existing EventBridge bus in each region, such as default, for the processor `eventBridge`',
    schema: z
      .string()
      .regex(/^[\w.-]{1,256}$/)
      .optional()
  }),
  database: setting({
    meaning:
      'PostgreSQL of the processor `databaseSync`: `aurora` creates an Aurora Serverless v2 cluster, `secret` reads ' +
      'DATABASE_URL from the secret `NAME/database`',
    schema: z.enum(['none', 'aurora', 'secret']).default('none')
  }),
  databaseCapacity: setting({
    meaning: 'capacity units of Aurora; a minimum of 0 allows it to pause',
    schema: json(
      z.strictObject({
        minimum: z.number().min(0).max(256).multipleOf(0.5),
        maximum: z.number().min(1).max(256).multipleOf(0.5)
      })
    ).default({ minimum: 0.5, maximum: 4 })
  }),
  variables: setting({
    meaning:
      'environment variables of your own processors, for `worker` and commands: `{"CMS_URL": "https://…"}`',
    schema: json(z.record(processorVariable, variableValue)).default({})
  }),
  secretVariables: setting({
    meaning:
      'names of secret environment variables of your own processors; their values are in the secret `NAME/processors`, ' +
      'as JSON',
    schema: list(processorVariable).default([])
  })
}

type Definitions = typeof SETTINGS

const schemas = Object.fromEntries(Object.entries(SETTINGS).map(([name, { schema }]) => [name, schema]))

/** The schema of all settings; an unknown name is an error. */
export const Settings = z.strictObject(
  schemas as { [Name in keyof Definitions]: Definitions[Name]['schema'] }
)

export type Settings = z.output<typeof Settings>
