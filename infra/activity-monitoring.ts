import { Duration } from 'aws-cdk-lib'
import { type GraphWidget, MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import { HttpCodeTarget } from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import { throttledCalls } from './cloudwatch-metrics.ts'
import { graph } from './graph.ts'
import type { AlarmDefinition, MonitoringProps } from './monitoring-props.ts'

/** 5xx responses in five minutes. A viewer whose stream breaks connects again and again. */
const SERVER_ERRORS = 10

/** Throttled reads in five minutes. The SDK repeats each. */
const THROTTLED_READS = 50

/** Reads of `activity` that no worker makes; of the other roles, only `reconcile` uses them. */
const READS = ['Query', 'BatchGetItem'] as const

/** Returns the alarms of the role `activity`; none without it. */
export function activityAlarms({ settings, loadBalancer }: MonitoringProps): Record<string, AlarmDefinition> {
  const { activityGroup } = loadBalancer
  if (!activityGroup) return {}
  const period = Duration.minutes(5)
  return {
    NoHealthyActivity: {
      metric: activityGroup.metrics.healthyHostCount({ statistic: 'Maximum', period: Duration.minutes(1) }),
      threshold: 1,
      firesBelow: true,
      periods: 5,
      missingData: TreatMissingData.BREACHING,
      meaning: 'No activity task is healthy: the page does not answer. Notifications are not affected.'
    },
    ActivityErrors: {
      metric: activityGroup.metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, {
        statistic: 'Sum',
        period
      }),
      threshold: SERVER_ERRORS,
      meaning: 'The activity page cannot read the journal, has too much to do, or has a defect.'
    },
    ActivityThrottled: {
      metric: new MathExpression({
        label: 'throttled reads',
        period,
        expression: READS.map((read) => `FILL(${idOf(read)}, 0)`).join(' + '),
        usingMetrics: Object.fromEntries(READS.map((read) => [idOf(read), throttledCalls(settings, read)]))
      }),
      threshold: THROTTLED_READS,
      meaning: 'DynamoDB throttles the reads of the activity page or of reconcile.'
    }
  }
}

/** Returns the row of the overview dashboard for the role `activity`; empty without it. */
export function activityGraphs({ settings, loadBalancer, services }: MonitoringProps): GraphWidget[] {
  const { activityGroup, balancer } = loadBalancer
  const { activity } = services
  if (!activityGroup || !activity) return []
  const sum = { statistic: 'Sum' }
  const { metrics } = activityGroup
  return [
    graph(
      'Activity page: tasks',
      [metrics.healthyHostCount({ statistic: 'Maximum', label: 'healthy' })],
      [
        activity.metricCpuUtilization({ label: 'CPU, %' }),
        activity.metricMemoryUtilization({ label: 'memory, %' })
      ]
    ),
    graph(
      settings.activityOidc ? 'Activity page: responses and logins' : 'Activity page: responses',
      [
        metrics.httpCodeTarget(HttpCodeTarget.TARGET_2XX_COUNT, { ...sum, label: '2xx' }),
        metrics.httpCodeTarget(HttpCodeTarget.TARGET_4XX_COUNT, { ...sum, label: '4xx' }),
        metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, { ...sum, label: '5xx' }),
        ...(settings.activityOidc
          ? [
              balancer.metrics.elbAuthSuccess({ ...sum, label: 'logins' }),
              balancer.metrics.elbAuthFailure({ ...sum, label: 'refused logins' }),
              balancer.metrics.elbAuthError({ ...sum, label: 'failed logins' })
            ]
          : [])
      ],
      [metrics.targetResponseTime({ statistic: 'p99', label: 'p99, s' })]
    ),
    graph(
      'Activity page: throttled reads',
      READS.map((read) => throttledCalls(settings, read))
    )
  ]
}

const idOf = (operation: string): string => operation.toLowerCase()
