import { z } from 'zod'
import { CHANGE_KINDS } from '../app/commands/reconcile/change-kinds.ts'
import { POLL_CHANNEL_NAME } from '../app/config.ts'
import { JOURNAL_INDEXES } from '../app/journal/journal-table.ts'
import {
  existingVpc,
  flag,
  json,
  list,
  logRetentionDays,
  ownVariable,
  region,
  taskSize,
  wholeNumber
} from './setting-values.ts'

/**
 * What can be set, in the `context` of cdk.json or with `-c name=value`. Sizes and limits are for one region. Each has a
 * description, of which docs/deploy.md is written.
 */
export const Settings = z.strictObject({
  name: z
    .string()
    .regex(/^(?=.{2,31}$)[a-z](-?[a-z0-9])+$/)
    .default('cloudinary-listener')
    .describe(
      'first part of the name of everything: lower case, at most 31 characters, no hyphen at the end or beside another'
    ),
  regions: list(region)
    .pipe(z.array(z.string()).min(1).max(5))
    .default(['us-east-1'])
    .describe('AWS regions; the first one holds the secrets and the journal, which the others replicate'),
  homeRegion: region
    .optional()
    .describe('the one of them that runs `reconcile` and `poll`; without it, the first'),
  architecture: z
    .enum(['arm64', 'x86_64'])
    .default('arm64')
    .describe('processor of the tasks; arm64 costs a fifth less'),

  zones: wholeNumber(2, 3).default(2).describe('availability zones'),
  natPerZone: flag.default(false).describe('a NAT gateway in each zone; otherwise one, which is cheaper'),
  interfaceEndpoints: flag
    .default(true)
    .describe(
      'private endpoints for SQS, Secrets Manager, ECR and logs; without them, those calls go through the NAT gateway'
    ),
  vpc: json(z.record(z.string(), existingVpc))
    .default({})
    .describe(
      'a VPC of your own, by region: `{"eu-west-1": {"vpcId", "availabilityZones", "publicSubnetIds", "privateSubnetIds"}}`'
    ),

  domainName: z.string().min(4).optional().describe('host name of the webhook, such as hooks.example.com'),
  hostedZoneId: z
    .string()
    .regex(/^Z[A-Z0-9]+$/)
    .optional()
    .describe('Route 53 hosted zone of the domain; the certificate and the record are made in it'),
  hostedZoneName: z
    .string()
    .min(3)
    .optional()
    .describe('name of that zone, where it is not the domain without its first label'),
  certificateArns: json(z.record(z.string(), z.string().startsWith('arn:')))
    .default({})
    .describe('certificates of your own, by region: `{"eu-west-1": "arn:…"}`'),
  requestsPerIp: wholeNumber(100, 2_000_000)
    .default(100_000)
    .describe(
      'requests from one address in five minutes, beyond which the firewall blocks it; Cloudinary sends from few'
    ),

  web: json(
    z.strictObject({
      size: taskSize.default({ cpu: 512, memoryMiB: 1024 }),
      minimumTasks: wholeNumber(1, 1000).default(2),
      maximumTasks: wholeNumber(1, 1000).default(10),
      requestsPerTask: wholeNumber(1, 1_000_000).default(6000),
      cpuPercent: wholeNumber(10, 90).default(60)
    })
  )
    .prefault({})
    .describe('the web role; it scales at `requestsPerTask` a minute or `cpuPercent`, whichever comes first'),
  worker: json(
    z.strictObject({
      size: taskSize.default({ cpu: 512, memoryMiB: 1024 }),
      minimumTasks: wholeNumber(0, 1000).default(1),
      maximumTasks: wholeNumber(1, 1000).default(20),
      concurrency: wholeNumber(1, 1000).default(50),
      backlogPerTask: wholeNumber(1, 1_000_000).default(500),
      oldestSeconds: wholeNumber(10, 86_400).default(120),
      spot: flag.default(false)
    })
  )
    .prefault({})
    .describe(
      'the worker role; `minimumTasks` 0 lets it rest; it scales at `backlogPerTask` waiting messages, or when the oldest ' +
        'waits `oldestSeconds`; `concurrency` is WORKER_CONCURRENCY; `spot` takes three of four further tasks from Fargate Spot'
    ),
  reconcileEvery: z
    .string()
    .regex(/^(never|(rate|cron)\(.+\))$/)
    .default('rate(1 hour)')
    .describe(
      'when `reconcile` looks for what was never sent, as EventBridge Scheduler writes it, or `never`; in the home region only'
    ),
  reconcileTypes: list(z.enum(CHANGE_KINDS.map(({ type }) => type)))
    .default([])
    .describe(
      'types that it looks for, where not all are notified: `upload`, `resource_tags_changed`, …; none named: all'
    ),
  pollChannel: z
    .string()
    .regex(POLL_CHANNEL_NAME)
    .optional()
    .describe('a Cloudinary poll channel: with it the role `poll` runs as well, in the home region only'),

  logRetentionDays: logRetentionDays.default(90).describe('days that log lines and access logs are kept'),
  logLevel: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace'])
    .default('info')
    .describe('LOG_LEVEL'),
  signatureToleranceSeconds: wholeNumber(1, 86_400).default(7200).describe('SIGNATURE_TOLERANCE_SECONDS'),
  bodyLimitBytes: wholeNumber(1024, 104_857_600)
    .default(10_485_760)
    .describe('BODY_LIMIT_BYTES; the firewall refuses what says it is larger'),

  customerKey: flag
    .default(false)
    .describe(
      'encrypt queues, topics, logs and, in one region, secrets and journal with KMS keys of your own, rotated every year'
    ),
  retainData: flag
    .default(true)
    .describe('secrets, journal, queues and logs stay when a stack is deleted; false for a trial'),

  journalIndexes: wholeNumber(1, JOURNAL_INDEXES.length)
    .default(JOURNAL_INDEXES.length)
    .describe(
      'indexes of the journal: CloudFormation adds one in an update, so a table of 0.2.0 is deployed with 2 first'
    ),

  alarmEmails: list(z.email()).default([]).describe('who is told of alarms'),
  alarmOldestSeconds: wholeNumber(60, 1_209_600)
    .default(900)
    .describe('age of the oldest message, retries included, at which the alarm goes off'),
  alarmRefusedSignatures: wholeNumber(1, 1_000_000)
    .default(10)
    .describe('notifications with a bad signature in five minutes at which the alarm goes off'),
  notify: flag.default(false).describe('make the SNS topic that the processor `notify` publishes to'),
  notifyEmails: list(z.email()).default([]).describe('subscribers of that topic by e-mail'),
  notifyPhones: list(z.string().regex(/^\+[1-9]\d{6,14}$/))
    .default([])
    .describe('subscribers of that topic by text message, such as +14155550100'),
  forward: flag.default(false).describe('hand the secret `NAME/forward` to the worker as FORWARD_SECRET'),
  database: z
    .enum(['none', 'aurora', 'secret'])
    .default('none')
    .describe(
      'PostgreSQL of the processor `databaseSync`: `aurora` makes an Aurora Serverless v2 cluster, `secret` takes ' +
        'DATABASE_URL from the secret `NAME/database`'
    ),
  databaseCapacity: json(
    z.strictObject({
      minimum: z.number().min(0).max(256).multipleOf(0.5),
      maximum: z.number().min(1).max(256).multipleOf(0.5)
    })
  )
    .default({ minimum: 0.5, maximum: 4 })
    .describe('capacity units of Aurora; a minimum of 0 lets it rest'),
  variables: json(z.record(ownVariable, z.string()))
    .default({})
    .describe(
      'variables of your own processors that are no secret, for `worker` and commands: `{"CMS_URL": "https://…"}`'
    ),
  secretVariables: list(ownVariable)
    .default([])
    .describe(
      'names of variables of your own processors that are secret; their values are in the secret `NAME/processors`, in JSON'
    )
})

export type Settings = z.output<typeof Settings>

/** The settings, or what is wrong with them: a line for each fault. */
export type ReadSettings = { outcome: 'read'; settings: Settings } | { outcome: 'refused'; faults: string[] }

/** Reads the settings from the context, in which CDK keeps its own as well: those have a punctuation mark in their name. */
export function readSettings(context: Readonly<Record<string, unknown>>): ReadSettings {
  const given = Object.fromEntries(Object.entries(context).filter(([name]) => /^\w+$/.test(name)))
  const { success, data, error } = Settings.safeParse(given)
  const faults = success
    ? conflictsOf(data)
    : error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '))
  return success && faults.length === 0 ? { outcome: 'read', settings: data } : { outcome: 'refused', faults }
}

function conflictsOf(settings: Settings): string[] {
  const {
    homeRegion,
    domainName,
    hostedZoneId,
    certificateArns,
    regions,
    web,
    worker,
    database,
    databaseCapacity
  } = settings
  const conflicts: [boolean, string][] = [
    [!!hostedZoneId && !domainName, 'hostedZoneId: needs domainName'],
    [
      Object.keys(certificateArns).length > 0 && !domainName,
      'certificateArns: need domainName, the name that they are for'
    ],
    [
      !!domainName && !hostedZoneId && regions.some((region) => !certificateArns[region]),
      'domainName: needs hostedZoneId, or a certificate in certificateArns for each region'
    ],
    [
      regions.length > 1 && !(domainName && hostedZoneId),
      'regions: several need domainName and hostedZoneId, by which Route 53 leads Cloudinary to one of them'
    ],
    [new Set(regions).size < regions.length, 'regions: one is named twice'],
    [!!homeRegion && !regions.includes(homeRegion), 'homeRegion: is none of regions'],
    [web.minimumTasks > web.maximumTasks, 'web.minimumTasks: is more than maximumTasks'],
    [worker.minimumTasks > worker.maximumTasks, 'worker.minimumTasks: is more than maximumTasks'],
    [databaseCapacity.minimum > databaseCapacity.maximum, 'databaseCapacity.minimum: is more than maximum'],
    [
      !settings.notify && settings.notifyEmails.length + settings.notifyPhones.length > 0,
      'notifyEmails, notifyPhones: need notify=true'
    ],
    [
      settings.secretVariables.some((variable) => Object.hasOwn(settings.variables, variable)),
      'secretVariables: one of them is in variables as well'
    ],
    [
      database === 'aurora' && regions.length > 1,
      'database: aurora is in one region; with several, have a database that all of them reach, and set database=secret'
    ]
  ]
  return conflicts.flatMap(([isConflict, line]) => (isConflict ? [line] : []))
}
