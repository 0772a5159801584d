import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch'
import type { FargateService } from 'aws-cdk-lib/aws-ecs'
import type { METRICS, MetricName } from '../app/metrics/metric-names.ts'
import { namesOf } from './names.ts'
import type { Settings } from './settings.ts'

/** What tells one series of a metric from another, as the listener writes it. */
type DimensionOf<Name extends MetricName> = (typeof METRICS)[Name]['dimensions'][number][number]

/** A metric that the listener writes itself, in the namespace of METRICS_NAMESPACE. */
export const listenerMetric = <Name extends MetricName>(
  { name }: Settings,
  metricName: Name,
  dimensionsMap: { [Dimension in DimensionOf<Name>]?: string },
  options: MetricOptions = {}
): Metric =>
  new Metric({
    namespace: namesOf(name).metrics,
    metricName,
    dimensionsMap: dimensionsMap as Record<string, string>,
    ...options
  })

/** How many tasks of a service run, as Container Insights counts them. */
export const runningTasks = (service: FargateService, options: MetricOptions = {}): Metric =>
  new Metric({
    namespace: 'ECS/ContainerInsights',
    metricName: 'RunningTaskCount',
    dimensionsMap: { ClusterName: service.cluster.clusterName, ServiceName: service.serviceName },
    ...options
  })

/** What a rule of the firewall has blocked; of all rules where none is named. */
export const blockedRequests = (
  { name }: Settings,
  region: string,
  rule = 'ALL',
  options: MetricOptions = {}
): Metric =>
  new Metric({
    namespace: 'AWS/WAFV2',
    metricName: 'BlockedRequests',
    dimensionsMap: { WebACL: namesOf(name).firewall, Region: region, Rule: rule },
    statistic: 'Sum',
    ...options
  })
