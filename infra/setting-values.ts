import { z } from 'zod'
import { VARIABLES } from '../app/config.ts'

/** Context values are JSON in cdk.json, and text in `-c name=value`. */
export const wholeNumber = (minimum: number, maximum: number) =>
  z.coerce.number().int().min(minimum).max(maximum)

export const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')])

/** A list. Text is split at commas. */
export const list = <Item extends z.ZodType>(item: Item) =>
  z.preprocess(
    (given) =>
      typeof given === 'string'
        ? given
            .split(',')
            .map((part) => part.trim())
            .filter(Boolean)
        : given,
    z.array(item)
  )

/** An object. Text is parsed as JSON. */
export const json = <Shape extends z.ZodType>(shape: Shape) =>
  z.preprocess((given) => (typeof given === 'string' ? parsed(given) : given), shape)

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** An AWS region, such as eu-west-1. */
export const region = z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'is not an AWS region, such as eu-west-1')

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

const subnets = z.array(z.string().regex(/^subnet-[0-9a-f]{8,17}$/, 'is not a subnet id')).min(2)

/** An existing VPC. */
export const existingVpc = z.strictObject({
  vpcId: z.string().regex(/^vpc-[0-9a-f]{8,17}$/, 'is not a VPC id'),
  availabilityZones: z.array(z.string()).min(2),
  publicSubnetIds: subnets,
  privateSubnetIds: subnets
})

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
export const logRetentionDays = z.coerce
  .number()
  .pipe(z.literal([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731]))

/** Name of an environment variable of a user's processor. */
export const processorVariable = z
  .string()
  .regex(/^[A-Z_][A-Z0-9_]*$/, 'is not a variable name, such as CMS_TOKEN')
  .refine((name) => !Object.hasOwn(VARIABLES, name) && !/^(AWS|ECS)_|^NODE_OPTIONS$/.test(name), {
    error: 'is reserved: it belongs to the listener (which has a setting for it), to AWS, or to the image'
  })
