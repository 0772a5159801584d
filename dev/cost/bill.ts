import type { Settings } from '../../infra/settings.ts'
import { ACTIVITY_TASK, activityBill } from './activity-bill.ts'
import { canaryBill } from './canary-bill.ts'
import * as journal from './journal-bill.ts'
import { DAYS, GB, HOURS, MILLION, MINUTES, SECONDS } from './month.ts'
import { priceOf } from './prices.ts'
import { tasksFor, wholeTasks } from './task-count.ts'
import type { Traffic } from './traffic.ts'

/** Cost of a month in US dollars, by item. */
export type Bill = Record<string, number>

/** Interface endpoints of infra/network.ts: SQS, Secrets Manager, two of ECR, CloudWatch Logs. */
const ENDPOINTS = 5
/** Rules of infra/firewall.ts: rate, body size, two managed groups. */
const FIREWALL_RULES = 4
/** Number of dashboards: infra/overview-dashboard.ts, infra/log-dashboard.ts. */
const DASHBOARDS = 2
/** An hourly `reconcile` takes about a minute of a small task. */
const RECONCILE = { vcpu: 0.25, gb: 0.5, hours: HOURS / 60 }
const IMAGES_GB = 0.5
/** Compressed access log of a request. */
const ACCESS_LOG_BYTES = 200
const SECRET_READ_SECONDS = 300
/** The current and the previous value. */
const SECRET_VALUES = 2
/** Size of the response to a notification, with headers. */
const RESPONSE_BYTES = 300
/** Capacity of an LCU-hour, if each notification opens a connection. */
const LCU_HOUR = { connections: 25 * 3600, bytes: GB }
/** Bytes that SQS counts as one request. */
const SQS_CHUNK = 64 * 1024

/** Returns the cost of the listener for a number of events a month. */
export function bill(events: number, settings: Settings, traffic: Traffic): Bill {
  const own = events * traffic.ownShare
  const processed = events - own
  const notifications = events / traffic.eventsPerNotification
  const calls = processed * traffic.cloudinaryCalls
  const { web, worker } = wholeTasks(tasksFor(events / SECONDS, settings, traffic), settings)
  const load = { notifications, processed, own, web, worker }
  const activity = activityBill(events, settings, traffic)
  const canary = canaryBill(settings)
  const network = networkOf(events, calls, settings, traffic)
  return {
    'Tasks (Fargate)': compute(web, worker, settings),
    'Load balancer, its addresses, responses':
      priceOf('albHour', HOURS) +
      priceOf('albLcuHour', notifications * lcuHours(traffic)) +
      priceOf('ipv4Hour', settings.zones * HOURS) +
      priceOf('egressGb', (notifications * RESPONSE_BYTES) / GB) +
      (activity?.balancer ?? 0),
    'Firewall (WAF)':
      priceOf('webAclMonth', 1) +
      priceOf('wafRuleMonth', FIREWALL_RULES) +
      priceOf('wafMillion', notifications / MILLION),
    ...network,
    'Queue (SQS)': priceOf(
      'sqsFifoMillion',
      (events * traffic.sqsRequests * Math.ceil(traffic.messageBytes / SQS_CHUNK) +
        (worker * SECONDS) / traffic.receiveSeconds +
        // a worker counts the messages of both queues
        (2 * worker * SECONDS) / traffic.sampleSeconds +
        (web * SECONDS) / traffic.probeSeconds) /
        MILLION
    ),
    'Journal (DynamoDB)': journal.events(load, traffic),
    'Journal: index by asset (`history`)': journal.history(load, traffic),
    'Journal: index of unfinished events': journal.unfinished(load, traffic),
    'Journal: counts by minute, samples of the queue': journal.counts(load, traffic),
    ...(activity && { 'Journal: reads of the live page': activity.reads }),
    'Logs (CloudWatch)': logs(notifications, processed, own, web + worker, settings, traffic),
    'Metrics, alarms, dashboards':
      priceOf('metricMonth', traffic.customMetrics + traffic.insightsMetrics) +
      priceOf('alarmMonth', traffic.alarmMetrics) +
      priceOf('dashboardMonth', DASHBOARDS) +
      (activity?.metrics ?? 0) +
      (canary?.metrics ?? 0),
    'Secret, keys, images, access logs':
      priceOf('secretMonth', 1) +
      (activity?.secrets ?? 0) +
      priceOf(
        'secretTenThousand',
        ((web + worker) * SECRET_VALUES * SECONDS) / SECRET_READ_SECONDS / 10_000
      ) +
      priceOf('keyMonth', settings.customerKey ? 2 : 0) +
      priceOf('ecrGbMonth', IMAGES_GB) +
      priceOf('s3GbMonth', (notifications * ACCESS_LOG_BYTES * monthsKept(settings)) / GB)
  }
}

export const total = (of: Bill): number => Object.values(of).reduce((sum, usd) => sum + usd, 0)

/** Returns the LCU-hours of one notification, by the dimension that it uses most. */
const lcuHours = ({ notificationBytes }: Traffic) =>
  Math.max(1 / LCU_HOUR.connections, (notificationBytes + RESPONSE_BYTES) / LCU_HOUR.bytes)

function compute(web: number, worker: number, settings: Settings): number {
  const kind = settings.architecture === 'arm64' ? 'Arm' : 'X86'
  const canary = canaryBill(settings)?.task
  const ofTasks = (vcpu: number, gb: number, hours: number) =>
    priceOf(`fargate${kind}VcpuHour`, vcpu * hours) + priceOf(`fargate${kind}GbHour`, gb * hours)
  const ofRole = (tasks: number, { cpu, memoryMiB }: Settings['web']['size']) =>
    ofTasks(cpu / 1024, memoryMiB / 1024, tasks * HOURS)
  return (
    ofRole(web, settings.web.size) +
    ofRole(worker, settings.worker.size) +
    ofTasks(RECONCILE.vcpu, RECONCILE.gb, RECONCILE.hours) +
    (canary ? ofTasks(canary.vcpu, canary.gb, canary.hours) : 0) +
    (settings.activity ? ofTasks(ACTIVITY_TASK.vcpu, ACTIVITY_TASK.gb, HOURS) : 0)
  )
}

/**
 * Returns the cost of the network. In an existing VPC, gateways and endpoints are already paid; only traffic
 * counts.
 */
function networkOf(events: number, calls: number, settings: Settings, traffic: Traffic): Bill {
  const isShared = Object.keys(settings.vpc).length > 0
  const gateways = isShared ? 0 : settings.natPerZone ? settings.zones : 1
  const endpoints = isShared || !settings.interfaceEndpoints ? 0 : ENDPOINTS * settings.zones
  const awsGb = (events * traffic.awsBytes) / GB
  const throughEndpoints = settings.interfaceEndpoints ? awsGb : 0
  const outGb = (calls * traffic.cloudinaryBytesOut) / GB
  const throughNat = outGb + (calls * traffic.cloudinaryBytesIn) / GB + awsGb - throughEndpoints
  return {
    'NAT gateway, to Cloudinary':
      priceOf('natHour', gateways * HOURS) +
      priceOf('ipv4Hour', gateways * HOURS) +
      priceOf('natGb', throughNat) +
      priceOf('egressGb', outGb),
    'Private endpoints to AWS':
      priceOf('endpointHour', endpoints * HOURS) + priceOf('endpointGb', throughEndpoints)
  }
}

function logs(
  notifications: number,
  processed: number,
  own: number,
  tasks: number,
  settings: Settings,
  traffic: Traffic
): number {
  const { logOverheadBytes, metricLogBytes, insightsLogBytes } = traffic
  // events are logged at `info`
  const isQuiet = !['info', 'debug', 'trace'].includes(settings.logLevel)
  const lines = isQuiet
    ? 0
    : notifications * (traffic.webLogBytes + logOverheadBytes) +
      processed * traffic.processors * (traffic.processedLogBytes + logOverheadBytes) +
      own * (traffic.ignoredLogBytes + logOverheadBytes)
  const ingestedGb = (lines + MINUTES * (tasks * metricLogBytes + insightsLogBytes)) / GB
  return (
    priceOf('logsGb', ingestedGb) +
    priceOf('logsGbMonth', ingestedGb * traffic.logCompression * monthsKept(settings))
  )
}

const monthsKept = ({ logRetentionDays }: Settings) => logRetentionDays / DAYS

/** Default of the blueprint's template. */
const BLUEPRINT_LOG_RETENTION_DAYS = 90

/**
 * Returns the cost of Cloudinary's blueprint of 2021 for the same notifications: one Lambda behind a REST
 * API, with the defaults of its template.
 *
 * Source: https://github.com/cloudinary-devs/web-listener-blueprint-aws (serverless.yml, index.py)
 */
export function blueprintBill(events: number, traffic: Traffic): Bill {
  const requests = events / traffic.eventsPerNotification
  const loggedGb = (requests * traffic.blueprintLogBytes) / 1e9
  return {
    'API Gateway': priceOf('restApiMillion', requests / MILLION),
    Lambda:
      priceOf('lambdaMillion', requests / MILLION) +
      priceOf('lambdaGbSecond', (requests * traffic.blueprintMs * traffic.blueprintGb) / 1000),
    'Logs (CloudWatch)':
      priceOf('logsGb', loggedGb) +
      priceOf('logsGbMonth', (loggedGb * traffic.logCompression * BLUEPRINT_LOG_RETENTION_DAYS) / DAYS),
    Secret: priceOf('secretMonth', 1)
  }
}
