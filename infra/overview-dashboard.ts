import { Duration } from 'aws-cdk-lib'
import {
  AlarmStatusWidget,
  Dashboard,
  type IAlarm,
  MathExpression,
  PeriodOverride
} from 'aws-cdk-lib/aws-cloudwatch'
import { HttpCodeElb, HttpCodeTarget } from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import { Construct } from 'constructs'
import { activityGraphs } from './activity-monitoring.ts'
import { blockedRequests, listenerMetric, runningTasks, throttledCalls } from './cloudwatch-metrics.ts'
import { graph } from './graph.ts'
import { ERROR_QUERY } from './log-queries.ts'
import { logTableWidget } from './log-table-widget.ts'
import type { MonitoringProps } from './monitoring-props.ts'
import { namesOf } from './resource-names.ts'

export interface OverviewDashboardProps extends MonitoringProps {
  alarms: readonly IAlarm[]
}

/** CloudWatch dashboard of the listener's health: alarms, then a notification's path, then the platform. */
export class OverviewDashboard extends Construct {
  readonly dashboard: Dashboard

  constructor(scope: Construct, id: string, props: OverviewDashboardProps) {
    super(scope, id)
    const { settings, region, alarms } = props
    this.dashboard = new Dashboard(this, 'Dashboard', {
      dashboardName: namesOf(settings.name).overviewDashboard(region),
      defaultInterval: Duration.hours(3),
      periodOverride: PeriodOverride.AUTO
    })
    this.dashboard.addWidgets(
      new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: 24, height: 3 })
    )
    this.dashboard.addWidgets(...this.#ingest(props))
    this.dashboard.addWidgets(...this.#processing(props))
    this.dashboard.addWidgets(...this.#platform(props))
    this.dashboard.addWidgets(...activityGraphs(props))
    this.dashboard.addWidgets(
      logTableWidget(settings.name, {
        ...ERROR_QUERY,
        roles: [...ERROR_QUERY.roles, ...(settings.activity ? ['activity'] : [])]
      })
    )
  }

  #ingest({ settings, region, loadBalancer }: MonitoringProps) {
    const web = { Role: 'web' }
    const sum = { statistic: 'Sum' }
    const { metrics } = loadBalancer.balancer
    const ofWeb = loadBalancer.targetGroup.metrics
    return [
      graph('Notifications', [
        listenerMetric(settings, 'NotificationsAccepted', web, { ...sum, label: 'accepted' }),
        listenerMetric(settings, 'NotificationsRefused', web, { ...sum, label: 'refused' }),
        listenerMetric(settings, 'NotificationsUnavailable', web, { ...sum, label: 'not stored' })
      ]),
      graph('Acknowledgement latency (Cloudinary waits 20 s)', [
        listenerMetric(settings, 'AckLatency', web, { statistic: 'p50', label: 'p50' }),
        listenerMetric(settings, 'AckLatency', web, { statistic: 'p99', label: 'p99' })
      ]),
      graph('Server errors and blocked requests', [
        ofWeb.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, { ...sum, label: '5xx of web' }),
        metrics.httpCodeElb(HttpCodeElb.ELB_5XX_COUNT, { ...sum, label: '5xx of the load balancer' }),
        blockedRequests(settings, region, 'ALL', { label: 'blocked by the firewall' })
      ])
    ]
  }

  #processing({ settings, queues }: MonitoringProps) {
    const worker = { Role: 'worker' }
    const sum = { statistic: 'Sum' }
    const maximum = { statistic: 'Maximum' }
    const { queue, deadLetterQueue } = queues
    return [
      graph(
        'Queue',
        [
          queue.metricApproximateNumberOfMessagesVisible({ ...maximum, label: 'waiting' }),
          queue.metricApproximateNumberOfMessagesNotVisible({
            ...maximum,
            label: 'in flight or waiting for a retry'
          }),
          deadLetterQueue.metricApproximateNumberOfMessagesVisible({ ...maximum, label: 'dead letters' })
        ],
        [
          queue.metricApproximateAgeOfOldestMessage({ ...maximum, label: 'oldest waiting event, s' }),
          new MathExpression({
            label: 'oldest retried event, s',
            expression: 'retried / 1000',
            usingMetrics: {
              retried: listenerMetric(settings, 'RetriedEventAge', { Role: 'worker' }, maximum)
            }
          })
        ]
      ),
      graph(
        'Events',
        [
          listenerMetric(settings, 'EventsProcessed', worker, { ...sum, label: 'processed' }),
          listenerMetric(settings, 'EventsIgnored', worker, { ...sum, label: 'ignored' }),
          listenerMetric(settings, 'EventsRetried', worker, { ...sum, label: 'retried' }),
          listenerMetric(settings, 'EventsDeadLettered', worker, { ...sum, label: 'dead-lettered' }),
          listenerMetric(settings, 'SchemaMismatch', worker, { ...sum, label: 'not as in its schema' })
        ],
        [listenerMetric(settings, 'BreakerOpen', worker, { ...maximum, label: 'circuit breaker open' })]
      ),
      graph('End-to-end latency (arrival to last processor)', [
        listenerMetric(settings, 'EndToEndLatency', worker, { statistic: 'p50', label: 'p50' }),
        listenerMetric(settings, 'EndToEndLatency', worker, { statistic: 'p99', label: 'p99' })
      ])
    ]
  }

  #platform({ settings, loadBalancer, services }: MonitoringProps) {
    const { web, worker } = services
    const throttled = (operation: string) => throttledCalls(settings, operation)
    return [
      graph('Tasks', [
        loadBalancer.targetGroup.metrics.healthyHostCount({ statistic: 'Maximum', label: 'web, healthy' }),
        runningTasks(worker, { statistic: 'Minimum', label: 'worker, running' })
      ]),
      graph('CPU and memory, %', [
        web.metricCpuUtilization({ label: 'CPU of web' }),
        web.metricMemoryUtilization({ label: 'memory of web' }),
        worker.metricCpuUtilization({ label: 'CPU of worker' }),
        worker.metricMemoryUtilization({ label: 'memory of worker' })
      ]),
      graph('Throttled journal calls', [throttled('UpdateItem'), throttled('PutItem'), throttled('GetItem')])
    ]
  }
}
