/** Region and date of the prices. */
export const PRICES_OF = { region: 'us-east-1', date: '2026-11-25' } as const

const AWS = 'https://aws.amazon.com'
const FARGATE = 'https://www.vantage.sh/blog/fargate-pricing'
const ALB = 'https://cloud-horizons.com/blog/alb-the-line-item-nobody-watches/'
const NAT = 'https://www.zacfukuda.com/blog/aws-nat-gateway-vs-vpc-endpoint'
const IPV4 = 'https://cloudburn.io/blog/aws-nat-gateway-pricing'
const EGRESS = 'https://cloudpipelines.pages.dev/guides/aws-nat-gateway-pricing-2026/'
const SQS = 'https://cloudburn.io/blog/amazon-sqs-pricing'
const DYNAMODB = 'https://airbyte.com/data-engineering-resources/dynamodb-pricing'
const PITR = 'https://finops.com.py/services/dynamodb/backups'
const CLOUDWATCH =
  'https://www.factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards/'
const METRICS = 'https://signoz.io/guides/cloudwatch-pricing'
const SECRETS = 'https://hivebook.wiki/wiki/aws-secrets-manager-rotated-secrets-dynamic-db-credentials-kms'
const KMS = 'https://www.wring.co/blog/aws-kms-pricing-guide'
const WAF = 'https://c3x.dev/blog/aws-waf-cost-explained/'
const API_GATEWAY = 'https://go-cloud.io/aws-api-gateway-pricing'
const LAMBDA = 'https://appropri8-astro.pages.dev/tutorials/2025/12/02/deploying-simple-api-aws/page/7'

/**
 * US dollars, unit, page of AWS, and a page of another publisher that states the same number (undefined where
 * none was found): AWS's pages load their numbers with a script. List prices without free tiers, discounts
 * and tax.
 */
export type Price = readonly [usd: number, unit: string, source: `/${string}`, checked?: string]

export const PRICES = {
  fargateArmVcpuHour: [0.03238, 'vCPU-hour of Fargate, arm64', '/fargate/pricing/', FARGATE],
  fargateArmGbHour: [0.00356, 'GB-hour of Fargate, arm64', '/fargate/pricing/', FARGATE],
  fargateX86VcpuHour: [0.04048, 'vCPU-hour of Fargate, x86_64', '/fargate/pricing/', FARGATE],
  fargateX86GbHour: [0.004445, 'GB-hour of Fargate, x86_64', '/fargate/pricing/', FARGATE],
  albHour: [0.0225, 'hour of a load balancer', '/elasticloadbalancing/pricing/', ALB],
  albLcuHour: [0.008, 'LCU-hour: 25 connections a second, or 1 GB', '/elasticloadbalancing/pricing/', ALB],
  natHour: [0.045, 'hour of a NAT gateway', '/vpc/pricing/', NAT],
  natGb: [0.045, 'GB through a NAT gateway', '/vpc/pricing/', NAT],
  endpointHour: [0.01, 'hour of an interface endpoint in a zone', '/vpc/pricing/', NAT],
  endpointGb: [0.01, 'GB through an interface endpoint', '/vpc/pricing/', NAT],
  ipv4Hour: [0.005, 'hour of a public IPv4 address', '/vpc/pricing/', IPV4],
  egressGb: [0.09, 'GB to the internet, up to 10 TB', '/ec2/pricing/on-demand/', EGRESS],
  sqsFifoMillion: [0.5, 'million requests of up to 64 KB to a FIFO queue', '/sqs/pricing/', SQS],
  dynamoWriteMillion: [0.625, 'million write units of 1 KB', '/dynamodb/pricing/on-demand/', DYNAMODB],
  dynamoReadMillion: [0.125, 'million read units of 4 KB', '/dynamodb/pricing/on-demand/', DYNAMODB],
  dynamoGbMonth: [
    0.25,
    'GB-month of a table or index',
    '/dynamodb/pricing/on-demand/',
    `${AWS}/dynamodb/pricing/`
  ],
  dynamoPitrGbMonth: [0.2, 'GB-month of point-in-time recovery', '/dynamodb/pricing/on-demand/', PITR],
  secretMonth: [0.4, 'secret a month', '/secrets-manager/pricing/', SECRETS],
  secretTenThousand: [0.05, '10,000 reads of a secret', '/secrets-manager/pricing/', SECRETS],
  keyMonth: [1, 'KMS key a month (`customerKey`, off by default)', '/kms/pricing/', KMS],
  logsGb: [0.5, 'GB of ingested log lines', '/cloudwatch/pricing/', CLOUDWATCH],
  logsGbMonth: [0.03, 'GB-month of stored log lines, compressed', '/cloudwatch/pricing/'],
  metricMonth: [0.3, 'custom metric a month', '/cloudwatch/pricing/', METRICS],
  alarmMonth: [0.1, 'metric of an alarm a month', '/cloudwatch/pricing/'],
  dashboardMonth: [3, 'dashboard a month', '/cloudwatch/pricing/', CLOUDWATCH],
  webAclMonth: [5, 'web ACL a month', '/waf/pricing/', WAF],
  wafRuleMonth: [1, 'rule or rule group a month', '/waf/pricing/', WAF],
  wafMillion: [0.6, 'million requests through the firewall', '/waf/pricing/', WAF],
  s3GbMonth: [0.023, 'GB-month in S3, for access logs', '/s3/pricing/'],
  ecrGbMonth: [0.1, 'GB-month of images', '/ecr/pricing/'],
  restApiMillion: [3.5, 'million requests to a REST API (blueprint)', '/api-gateway/pricing/', API_GATEWAY],
  lambdaMillion: [0.2, 'million requests to Lambda (blueprint)', '/lambda/pricing/', LAMBDA],
  lambdaGbSecond: [0.0000166667, 'GB-second of Lambda, x86_64 (blueprint)', '/lambda/pricing/', LAMBDA]
} as const satisfies Record<string, Price>

export type PriceName = keyof typeof PRICES

/** Returns the price of an amount, in US dollars. */
export const priceOf = (name: PriceName, amount: number): number => PRICES[name][0] * amount

export const sourceOf = ([, , path]: Price): string => `${AWS}${path}`
