import { z } from 'zod'
import { VARIABLES } from '../app/config.ts'

/** Context values are JSON in cdk.json, and text in `-c name=value`. */
const numeric = z.union([z.number(), z.string().regex(/^\d+$/, 'is not a whole number').transform(Number)])

export const wholeNumber = (minimum: number, maximum: number) =>
  numeric.pipe(z.number().int().min(minimum).max(maximum))

export const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')])

/** Returns the schema of a list without repetitions. Text is split at commas. */
export const list = <Item extends z.ZodType>(item: Item) =>
  z.preprocess(
    (given) =>
      typeof given === 'string'
        ? given
            .split(',')
            .map((part) => part.trim())
            .filter(Boolean)
        : given,
    z.array(item).refine((items) => new Set(items).size === items.length, { error: 'repeats a value' })
  )

/** Returns the schema of an object. Text is parsed as JSON. */
export const json = <Shape extends z.ZodType>(shape: Shape) =>
  z.preprocess((given) => (typeof given === 'string' ? parsed(given) : given), shape)

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Name of an AWS region. */
const REGION =
  '(?:af|ap|ca|cn|eu|il|me|mx|sa|us|us-gov)-(?:central|north|south|east|west|northeast|northwest|southeast|southwest)-\\d'

/** An AWS region, such as eu-west-1. */
export const region = z.string().regex(new RegExp(`^${REGION}$`), 'is not an AWS region, such as eu-west-1')

/** Returns the schema of values by region. */
export const byRegion = <Shape extends z.ZodType>(shape: Shape) => json(z.record(region, shape))

/** Availability zones of a region. */
export const availabilityZones = z
  .array(z.string().regex(new RegExp(`^${REGION}[a-z]$`), 'is not an availability zone, such as eu-west-1a'))
  .min(2)
  .max(6)
  .refine((names) => new Set(names).size === names.length, { error: 'repeats a zone' })

/**
 * A host name in lower case, without a dot at the end.
 * Source: https://www.rfc-editor.org/rfc/rfc1123#section-2.1
 */
export const hostName = z
  .string()
  .max(253)
  .regex(
    /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?=[a-z0-9-]*[a-z])[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    'is not a host name, such as hooks.example.com: lower case, without https:// and without a path'
  )

/** Maximum length of a certificate's first name. Source: https://docs.aws.amazon.com/acm/latest/userguide/acm-limits.html */
export const certificateName = hostName.max(64)

export const hostedZoneId = z
  .string()
  .regex(/^Z[A-Z0-9]{1,31}$/, 'is not the id of a hosted zone, such as Z0123456789')

/** Returns the schema of the ARN of a resource of a service; `resource` is a regular expression. */
const arn = (service: string, resource: string, example: string) =>
  z
    .string()
    .regex(
      new RegExp(`^arn:aws[a-z-]*:${service}:${REGION}:\\d{12}:${resource}$`),
      `is not an ARN, such as arn:aws:${service}:eu-west-1:111111111111:${example}`
    )

export const certificateArn = arn(
  'acm',
  'certificate/[\\w-]{1,64}',
  'certificate/01234567-89ab-cdef-0123-456789abcdef'
)

export const topicArn = arn('sns', '[\\w-]{1,256}', 'oncall')

/** Returns the region in an ARN. */
export const regionOf = (ofArn: string): string => ofArn.split(':')[3]!

/** Memory sizes (MiB) that Fargate supports, by CPU units. */
const SIZES: Record<number, readonly number[]> = {
  256: [512, 1024, 2048],
  512: [1024, 2048, 3072, 4096],
  1024: [2048, 3072, 4096, 5120, 6144, 7168, 8192],
  2048: [4096, 8192, 12_288, 16_384],
  4096: [8192, 16_384, 24_576, 30_720]
}

/** CPU and memory of a task. */
export const taskSize = z
  .strictObject({ cpu: z.number().int(), memoryMiB: z.number().int() })
  .refine(({ cpu, memoryMiB }) => SIZES[cpu]?.includes(memoryMiB), {
    error: `is not a Fargate size; cpu → memoryMiB: ${Object.entries(SIZES)
      .map(([cpu, memory]) => `${cpu} → ${memory.join(', ')}`)
      .join('; ')}`
  })

export type TaskSize = z.output<typeof taskSize>

const subnets = z
  .array(z.string().regex(/^subnet-(?:[0-9a-f]{8}|[0-9a-f]{17})$/, 'is not a subnet id'))
  .min(2)
  .refine((ids) => new Set(ids).size === ids.length, { error: 'repeats a subnet' })

/** An existing VPC. */
export const existingVpc = z
  .strictObject({
    vpcId: z.string().regex(/^vpc-(?:[0-9a-f]{8}|[0-9a-f]{17})$/, 'is not a VPC id'),
    availabilityZones,
    publicSubnetIds: subnets,
    privateSubnetIds: subnets
  })
  .refine(
    ({ availabilityZones, publicSubnetIds, privateSubnetIds }) =>
      [publicSubnetIds, privateSubnetIds].every((ids) => ids.length === availabilityZones.length),
    { error: 'needs one public and one private subnet for each of availabilityZones, in their order' }
  )

/** An origin whose pages may read the activity feed: what ACTIVITY_ALLOWED_ORIGINS accepts. */
export const activityOrigin = z
  .string()
  .refine(
    (origin) => !origin.includes(',') && VARIABLES.ACTIVITY_ALLOWED_ORIGINS.schema.safeParse(origin).success,
    {
      error: 'is not an origin such as https://www.example.com, without a path'
    }
  )

const httpsUrl = (error: string, isAllowed: (url: URL) => boolean = () => true) =>
  z.string().refine(
    (given) => {
      const url = URL.canParse(given) ? new URL(given) : undefined
      return url?.protocol === 'https:' && !(url.username || url.password || url.hash) && isAllowed(url)
    },
    { error }
  )

/** Returns the port that a collector's URL names. */
export const portOf = (url: string): number => {
  const { port, protocol } = new URL(url)
  return Number(port) || (protocol === 'https:' ? 443 : 80)
}

/** URL of an OpenTelemetry collector. A task has no collector of its own. */
export const otlpEndpoint = z.string().refine(
  (given) => {
    const url = URL.canParse(given) ? new URL(given) : undefined
    if (!url || !/^https?:$/.test(url.protocol)) return false
    const isPlain = !(url.username || url.password || url.search || url.hash)
    return isPlain && !/^(localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname)
  },
  { error: 'is not the http(s) URL of a collector in the network, without credentials and query' }
)

/** A share, from 0 to 1. */
export const share = z
  .union(
    [
      z.number(),
      z
        .string()
        .regex(/^\d*\.?\d+$/)
        .transform(Number)
    ],
    'is not a number, such as 0.1'
  )
  .pipe(z.number().min(0).max(1))

/** An OpenID Connect provider in front of the activity page, without the client's secret. */
export const oidcProvider = z.strictObject({
  issuer: httpsUrl('is not an https URL without query', ({ search }) => search === ''),
  authorizationEndpoint: httpsUrl('is not an https URL'),
  // the load balancer may send to no other port
  tokenEndpoint: httpsUrl('is not an https URL with port 443', ({ port }) => port === ''),
  userInfoEndpoint: httpsUrl('is not an https URL with port 443', ({ port }) => port === ''),
  // https://www.rfc-editor.org/rfc/rfc6749#appendix-A.1
  clientId: z.string().regex(/^[\x20-\x7E]+$/, 'is not a client id: printable ASCII characters'),
  clientSecretVersion: z
    .string()
    .regex(/^[\w-]{32,64}$/, 'is not the VersionId of a secret')
    .optional()
})

export type OidcProvider = z.output<typeof oidcProvider>

/** Retention periods that CloudWatch Logs supports, in days. */
export const logRetentionDays = numeric.pipe(
  z.literal([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731])
)

/** Value of an environment variable. The operating system ends it at a null character. */
export const variableValue = z
  .string()
  .refine((text) => !text.includes('\0'), { error: 'has a null character' })

/** Name of an environment variable of a user's processor. */
export const processorVariable = z
  .string()
  .regex(/^[A-Z_][A-Z0-9_]*$/, 'is not a variable name, such as CMS_TOKEN')
  .refine((name) => !Object.hasOwn(VARIABLES, name) && !/^(AWS|ECS)_|^NODE_OPTIONS$/.test(name), {
    error:
      'is reserved: it belongs to the listener (docs/deploy.md lists its settings), to AWS, or to the image'
  })
