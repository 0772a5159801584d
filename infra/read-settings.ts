import type { z } from 'zod'
import { regionsOfRds } from './rds-certificates.ts'
import { regionOf } from './setting-values.ts'
import { Settings } from './settings.ts'

/** The settings, or one line for each problem. */
export type SettingsResult =
  | { outcome: 'valid'; settings: Settings }
  | { outcome: 'invalid'; problems: string[] }

/** Reads the settings from the CDK context. Ignores CDK's own entries, which contain `@`, `:`, `/` or `-`. */
export function readSettings(context: Readonly<Record<string, unknown>>): SettingsResult {
  const given = Object.fromEntries(Object.entries(context).filter(([name]) => /^\w+$/.test(name)))
  const { success, data, error } = Settings.safeParse(given)
  const problems = success
    ? findConflicts(data)
    : error.issues.map((issue) => [issue.path.join('.'), messageOf(issue)].filter(Boolean).join(': '))
  return success && problems.length === 0
    ? { outcome: 'valid', settings: data }
    : { outcome: 'invalid', problems }
}

/** Returns what is wrong with a value, or with the name of a record's field: `Invalid key` does not say. */
const messageOf = (issue: z.core.$ZodIssue): string =>
  issue.code === 'invalid_key' ? issue.issues.map(({ message }) => message).join(', ') : issue.message

function findConflicts(settings: Settings): string[] {
  const { homeRegion, domainName, hostedZoneId, hostedZoneName, certificateArns, regions } = settings
  const isElsewhere = (name: string) => !regions.includes(name)
  const { web, worker, database, databaseCapacity } = settings
  const conflicts: [boolean, string][] = [
    [!!hostedZoneId && !domainName, 'hostedZoneId: needs domainName'],
    [
      Object.keys(certificateArns).length > 0 && !domainName,
      'certificateArns: needs domainName, the name in the certificates'
    ],
    [
      !!domainName && !hostedZoneId && regions.some((region) => !certificateArns[region]),
      'domainName: needs hostedZoneId, or a certificate in certificateArns for each region'
    ],
    [
      regions.length > 1 && !(domainName && hostedZoneId),
      'regions: several regions need domainName and hostedZoneId, so that Route 53 can route between them'
    ],
    [
      settings.activity && !domainName,
      'activity: needs domainName; its password must not be sent without TLS'
    ],
    [
      settings.canaryEvery !== 'never' && !domainName,
      'canaryEvery: needs domainName; tasks may connect by HTTPS only'
    ],
    [
      !settings.activity && (settings.activityReadTokens || !!settings.activityOidc),
      'activityReadTokens, activityOidc: need activity=true'
    ],
    [
      settings.activityAllowedOrigins.length > 0 && !settings.activityReadTokens,
      'activityAllowedOrigins: needs activityReadTokens=true; a page of another origin reads with a token'
    ],
    [settings.dnsRecord === 'simple' && regions.length > 1, 'dnsRecord: several regions need `latency`'],
    [!!hostedZoneName && !hostedZoneId, 'hostedZoneName: needs hostedZoneId'],
    [
      !!hostedZoneName && !!domainName && !`.${domainName}`.endsWith(`.${hostedZoneName}`),
      'hostedZoneName: domainName is not in this zone'
    ],
    [
      Object.keys(certificateArns).some(isElsewhere),
      'certificateArns: names a region that is not in regions'
    ],
    [
      Object.entries(certificateArns).some(([region, arn]) => regionOf(arn) !== region),
      'certificateArns: a certificate is in another region'
    ],
    ...conflictsOfTopics(settings),
    ...conflictsOfZones(settings),
    [!!homeRegion && !regions.includes(homeRegion), 'homeRegion: is not in regions'],
    [web.minimumTasks > web.maximumTasks, 'web.minimumTasks: exceeds maximumTasks'],
    [worker.minimumTasks > worker.maximumTasks, 'worker.minimumTasks: exceeds maximumTasks'],
    [databaseCapacity.minimum > databaseCapacity.maximum, 'databaseCapacity.minimum: exceeds maximum'],
    [
      !settings.notify && settings.notifyEmails.length + settings.notifyPhones.length > 0,
      'notifyEmails, notifyPhones: need notify=true'
    ],
    [
      settings.secretVariables.some((variable) => Object.hasOwn(settings.variables, variable)),
      'secretVariables: a name is also in variables'
    ],
    [
      database === 'aurora' && !regionsOfRds().has(regions[0]!),
      'database: the image has no certificate authority of Amazon RDS for this region (docs/upgrading.md)'
    ],
    [
      database === 'aurora' && regions.length > 1,
      'database: aurora supports one region; with several, use database=secret and a database that all regions can reach'
    ]
  ]
  return conflicts.flatMap(([isConflict, problem]) => (isConflict ? [problem] : []))
}

function conflictsOfTopics({ alarmTopicArns, alarmEmails, regions }: Settings): [boolean, string][] {
  return [
    [
      Object.keys(alarmTopicArns).some((region) => !regions.includes(region)),
      'alarmTopicArns: names a region that is not in regions'
    ],
    [
      Object.entries(alarmTopicArns).some(([region, arn]) => regionOf(arn) !== region),
      'alarmTopicArns: a topic is in another region'
    ],
    [
      alarmEmails.length > 0 && regions.every((region) => alarmTopicArns[region]),
      'alarmEmails: alarmTopicArns has a topic for each region, so nobody would be subscribed'
    ]
  ]
}

function conflictsOfZones({ vpc, availabilityZones, regions }: Settings): [boolean, string][] {
  const given: [name: string, zones: Record<string, readonly string[]>][] = [
    ['availabilityZones', availabilityZones],
    ['vpc', Object.fromEntries(Object.entries(vpc).map(([region, of]) => [region, of.availabilityZones]))]
  ]
  return [
    ...given.flatMap(([name, zones]): [boolean, string][] => [
      [
        Object.keys(zones).some((region) => !regions.includes(region)),
        `${name}: names a region that is not in regions`
      ],
      [
        Object.entries(zones).some(([region, names]) => names.some((zone) => zone.slice(0, -1) !== region)),
        `${name}: a zone is in another region`
      ]
    ]),
    [
      Object.keys(availabilityZones).some((region) => vpc[region]),
      'availabilityZones: vpc has the zones of that region already'
    ]
  ]
}
