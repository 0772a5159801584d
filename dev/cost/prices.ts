/** Where and when the prices are from. */
export const PRICES_OF = { region: 'us-east-1', date: '2026-11-25' } as const

export interface Price {
  usd: number
  /** What that is for. */
  of: string
  /** AWS's own page. Its numbers are loaded by a script, so a copy of it has none. */
  source: string
  /** A page that names the number, against which it was checked; undefined where none was found. */
  checked?: string
}

const FARGATE = 'https://aws.amazon.com/fargate/pricing/'
const ALB = 'https://aws.amazon.com/elasticloadbalancing/pricing/'
const VPC = 'https://aws.amazon.com/vpc/pricing/'
const DYNAMODB = 'https://aws.amazon.com/dynamodb/pricing/on-demand/'
const CLOUDWATCH = 'https://aws.amazon.com/cloudwatch/pricing/'
const SECRETS = 'https://aws.amazon.com/secrets-manager/pricing/'
const WAF = 'https://aws.amazon.com/waf/pricing/'
const LAMBDA = 'https://aws.amazon.com/lambda/pricing/'

const ON_FARGATE = 'https://www.vantage.sh/blog/fargate-pricing'
const ON_ALB = 'https://cloud-horizons.com/blog/alb-the-line-item-nobody-watches/'
const ON_NAT = 'https://www.zacfukuda.com/blog/aws-nat-gateway-vs-vpc-endpoint'
const ON_DYNAMODB = 'https://airbyte.com/data-engineering-resources/dynamodb-pricing'
const ON_CLOUDWATCH =
  'https://www.factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards/'
const ON_SECRETS = 'https://hivebook.wiki/wiki/aws-secrets-manager-rotated-secrets-dynamic-db-credentials-kms'
const ON_WAF = 'https://c3x.dev/blog/aws-waf-cost-explained/'
const ON_LAMBDA = 'https://appropri8-astro.pages.dev/tutorials/2025/12/02/deploying-simple-api-aws/page/7'

/**
 * Public list prices in US dollars, without free tiers, discounts and tax: those of the account may already be used up by
 * something else.
 */
export const PRICES = {
  fargateArmVcpuHour: {
    usd: 0.03238,
    of: 'vCPU-hour of Fargate, arm64',
    source: FARGATE,
    checked: ON_FARGATE
  },
  fargateArmGbHour: { usd: 0.00356, of: 'GB-hour of Fargate, arm64', source: FARGATE, checked: ON_FARGATE },
  fargateX86VcpuHour: {
    usd: 0.04048,
    of: 'vCPU-hour of Fargate, x86_64',
    source: FARGATE,
    checked: ON_FARGATE
  },
  fargateX86GbHour: { usd: 0.004445, of: 'GB-hour of Fargate, x86_64', source: FARGATE, checked: ON_FARGATE },
  albHour: { usd: 0.0225, of: 'hour of a load balancer', source: ALB, checked: ON_ALB },
  albLcuHour: {
    usd: 0.008,
    of: 'LCU-hour: 25 new connections a second, or 1 GB',
    source: ALB,
    checked: ON_ALB
  },
  natHour: { usd: 0.045, of: 'hour of a NAT gateway', source: VPC, checked: ON_NAT },
  natGb: { usd: 0.045, of: 'GB through it', source: VPC, checked: ON_NAT },
  endpointHour: { usd: 0.01, of: 'hour of an interface endpoint in a zone', source: VPC, checked: ON_NAT },
  endpointGb: { usd: 0.01, of: 'GB through it', source: VPC, checked: ON_NAT },
  ipv4Hour: {
    usd: 0.005,
    of: 'hour of a public IPv4 address',
    source: VPC,
    checked: 'https://cloudburn.io/blog/aws-nat-gateway-pricing'
  },
  egressGb: {
    usd: 0.09,
    of: 'GB to the internet, up to 10 TB',
    source: 'https://aws.amazon.com/ec2/pricing/on-demand/',
    checked: 'https://cloudpipelines.pages.dev/guides/aws-nat-gateway-pricing-2026/'
  },
  sqsFifoMillion: {
    usd: 0.5,
    of: 'million requests to a FIFO queue; 64 KB each counts',
    source: 'https://aws.amazon.com/sqs/pricing/',
    checked: 'https://cloudburn.io/blog/amazon-sqs-pricing'
  },
  dynamoWriteMillion: {
    usd: 0.625,
    of: 'million write units: 1 KB each, of the table and again of the index',
    source: DYNAMODB,
    checked: ON_DYNAMODB
  },
  dynamoGbMonth: {
    usd: 0.25,
    of: 'GB-month of a table or index',
    source: DYNAMODB,
    checked: 'https://aws.amazon.com/dynamodb/pricing/'
  },
  dynamoPitrGbMonth: {
    usd: 0.2,
    of: 'GB-month of point-in-time recovery',
    source: DYNAMODB,
    checked: 'https://finops.com.py/services/dynamodb/backups'
  },
  secretMonth: { usd: 0.4, of: 'secret a month', source: SECRETS, checked: ON_SECRETS },
  secretTenThousand: { usd: 0.05, of: '10,000 reads of a secret', source: SECRETS, checked: ON_SECRETS },
  keyMonth: {
    usd: 1,
    of: 'KMS key a month (`customerKey`, which is off)',
    source: 'https://aws.amazon.com/kms/pricing/',
    checked: 'https://www.wring.co/blog/aws-kms-pricing-guide'
  },
  logsGb: { usd: 0.5, of: 'GB of log lines taken in', source: CLOUDWATCH, checked: ON_CLOUDWATCH },
  logsGbMonth: { usd: 0.03, of: 'GB-month of log lines kept, compressed', source: CLOUDWATCH },
  metricMonth: {
    usd: 0.3,
    of: 'custom metric a month',
    source: CLOUDWATCH,
    checked: 'https://signoz.io/guides/cloudwatch-pricing'
  },
  alarmMonth: { usd: 0.1, of: 'metric of an alarm a month', source: CLOUDWATCH },
  dashboardMonth: { usd: 3, of: 'dashboard a month', source: CLOUDWATCH, checked: ON_CLOUDWATCH },
  webAclMonth: { usd: 5, of: 'web ACL a month', source: WAF, checked: ON_WAF },
  wafRuleMonth: { usd: 1, of: 'rule, or group of rules, a month', source: WAF, checked: ON_WAF },
  wafMillion: { usd: 0.6, of: 'million requests through the firewall', source: WAF, checked: ON_WAF },
  s3GbMonth: {
    usd: 0.023,
    of: 'GB-month in S3, for access logs',
    source: 'https://aws.amazon.com/s3/pricing/'
  },
  ecrGbMonth: { usd: 0.1, of: 'GB-month of images', source: 'https://aws.amazon.com/ecr/pricing/' },
  restApiMillion: {
    usd: 3.5,
    of: 'million requests to a REST API of API Gateway (blueprint)',
    source: 'https://aws.amazon.com/api-gateway/pricing/',
    checked: 'https://go-cloud.io/aws-api-gateway-pricing'
  },
  lambdaMillion: {
    usd: 0.2,
    of: 'million requests to Lambda (blueprint)',
    source: LAMBDA,
    checked: ON_LAMBDA
  },
  lambdaGbSecond: {
    usd: 0.0000166667,
    of: 'GB-second of Lambda, x86_64 (blueprint)',
    source: LAMBDA,
    checked: ON_LAMBDA
  }
} as const satisfies Record<string, Price>

export type PriceName = keyof typeof PRICES

/** What so much of something costs, in US dollars. */
export const priceOf = (name: PriceName, amount: number): number => PRICES[name].usd * amount
