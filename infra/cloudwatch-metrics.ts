import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch'
import type { FargateService } from 'aws-cdk-lib/aws-ecs'
import type { METRICS, MetricName } from '../app/metrics/metric-names.ts'
import { namesOf } from './resource-names.ts'
import type { Settings } from './settings.ts'

/** The dimensions that the listener writes a metric with. */
type DimensionOf<Name extends MetricName> = (typeof METRICS)[Name]['dimensions'][number][number]

/** Returns a metric that the listener itself writes, in METRICS_NAMESPACE. */
export const listenerMetric = <Name extends MetricName>(
  { name }: Settings,
  metricName: Name,
  dimensionsMap: { [Dimension in DimensionOf<Name>]?: string },
  options: MetricOptions = {}
): Metric =>
  new Metric({
    namespace: namesOf(name).metricsNamespace,
    metricName,
    dimensionsMap: dimensionsMap as Record<string, string>,
    ...options
  })

const taskCount =
  (metricName: string) =>
  (service: FargateService, options: MetricOptions = {}): Metric =>
    new Metric({
      namespace: 'ECS/ContainerInsights',
      metricName,
      dimensionsMap: { ClusterName: service.cluster.clusterName, ServiceName: service.serviceName },
      ...options
    })

/** Returns the number of running tasks of a service, from Container Insights. */
export const runningTasks = taskCount('RunningTaskCount')

/** Returns the number of tasks that a service should have, from Container Insights. */
export const desiredTasks = taskCount('DesiredTaskCount')

/** Returns the number of calls of the journal that DynamoDB throttled, by operation, such as `Query`. */
export const throttledCalls = ({ name }: Settings, operation: string, options: MetricOptions = {}): Metric =>
  new Metric({
    namespace: 'AWS/DynamoDB',
    metricName: 'ThrottledRequests',
    dimensionsMap: { TableName: namesOf(name).journal, Operation: operation },
    statistic: 'Sum',
    label: operation,
    ...options
  })

/** Returns the number of requests that a firewall rule blocked. (Default: all rules) */
export const blockedRequests = (
  { name }: Settings,
  region: string,
  rule = 'ALL',
  options: MetricOptions = {}
): Metric =>
  new Metric({
    namespace: 'AWS/WAFV2',
    metricName: 'BlockedRequests',
    dimensionsMap: { WebACL: namesOf(name).firewallMetrics, Region: region, Rule: rule },
    statistic: 'Sum',
    ...options
  })
