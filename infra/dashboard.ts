import { Duration } from 'aws-cdk-lib'
import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IAlarm,
  type IMetric,
  MathExpression,
  Metric,
  PeriodOverride
} from 'aws-cdk-lib/aws-cloudwatch'
import { HttpCodeElb, HttpCodeTarget } from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import { Construct } from 'constructs'
import type { WatchedProps } from './alarms.ts'
import { ERRORS } from './log-queries.ts'
import { logTable } from './log-table.ts'
import { blockedRequests, listenerMetric, runningTasks } from './metrics.ts'
import { namesOf } from './names.ts'

export interface WellProps extends WatchedProps {
  alarms: readonly IAlarm[]
}

const HEIGHT = 6

/** "Is it well?" in one look: the alarms first, then the way of a notification, then what carries it. */
export class Overview extends Construct {
  readonly dashboard: Dashboard

  constructor(scope: Construct, id: string, props: WellProps) {
    super(scope, id)
    const { settings, region, alarms } = props
    this.dashboard = new Dashboard(this, 'Dashboard', {
      dashboardName: namesOf(settings.name).dashboard(region),
      defaultInterval: Duration.hours(3),
      periodOverride: PeriodOverride.AUTO
    })
    this.dashboard.addWidgets(
      new AlarmStatusWidget({ title: 'Is it well?', alarms: [...alarms], width: 24, height: 3 })
    )
    this.dashboard.addWidgets(...this.#ingest(props))
    this.dashboard.addWidgets(...this.#processing(props))
    this.dashboard.addWidgets(...this.#platform(props))
    this.dashboard.addWidgets(logTable(settings.name, ERRORS))
  }

  #ingest({ settings, region, entry }: WatchedProps) {
    const web = { Role: 'web' }
    const sum = { statistic: 'Sum' }
    const { loadBalancer } = entry
    return [
      graph('Notifications', [
        listenerMetric(settings, 'NotificationsAccepted', web, { ...sum, label: 'accepted' }),
        listenerMetric(settings, 'NotificationsRefused', web, { ...sum, label: 'refused' }),
        listenerMetric(settings, 'NotificationsUnavailable', web, { ...sum, label: 'not stored' })
      ]),
      graph('Until they are acknowledged (Cloudinary waits 20 s)', [
        listenerMetric(settings, 'AckLatency', web, { statistic: 'p50', label: 'p50' }),
        listenerMetric(settings, 'AckLatency', web, { statistic: 'p99', label: 'p99' })
      ]),
      graph('At the door', [
        loadBalancer.metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, { ...sum, label: '5xx of web' }),
        loadBalancer.metrics.httpCodeElb(HttpCodeElb.ELB_5XX_COUNT, {
          ...sum,
          label: '5xx of the load balancer'
        }),
        blockedRequests(settings, region, 'ALL', { label: 'blocked by the firewall' })
      ])
    ]
  }

  #processing({ settings, queues }: WatchedProps) {
    const worker = { Role: 'worker' }
    const sum = { statistic: 'Sum' }
    const maximum = { statistic: 'Maximum' }
    const { queue, deadLetterQueue } = queues
    return [
      graph(
        'What waits',
        [
          queue.metricApproximateNumberOfMessagesVisible({ ...maximum, label: 'waiting' }),
          queue.metricApproximateNumberOfMessagesNotVisible({
            ...maximum,
            label: 'in hand, or to be tried again'
          }),
          deadLetterQueue.metricApproximateNumberOfMessagesVisible({ ...maximum, label: 'dead letters' })
        ],
        [
          queue.metricApproximateAgeOfOldestMessage({ ...maximum, label: 'age of the oldest that waits, s' }),
          new MathExpression({
            label: 'age of the oldest that is tried again, s',
            expression: 'given / 1000',
            usingMetrics: { given: listenerMetric(settings, 'RetriedEventAge', { Role: 'worker' }, maximum) }
          })
        ]
      ),
      graph(
        'Events',
        [
          listenerMetric(settings, 'EventsProcessed', worker, { ...sum, label: 'processed' }),
          listenerMetric(settings, 'EventsIgnored', worker, { ...sum, label: 'ignored' }),
          listenerMetric(settings, 'EventsRetried', worker, { ...sum, label: 'to be tried again' }),
          listenerMetric(settings, 'EventsDeadLettered', worker, { ...sum, label: 'dead-lettered' })
        ],
        [listenerMetric(settings, 'BreakerOpen', worker, { ...maximum, label: 'breaker open' })]
      ),
      graph('From arrival to the last processor', [
        listenerMetric(settings, 'EndToEndLatency', worker, { statistic: 'p50', label: 'p50' }),
        listenerMetric(settings, 'EndToEndLatency', worker, { statistic: 'p99', label: 'p99' })
      ])
    ]
  }

  #platform({ settings, entry, services }: WatchedProps) {
    const { web, worker } = services
    const throttled = (operation: string) =>
      new Metric({
        namespace: 'AWS/DynamoDB',
        metricName: 'ThrottledRequests',
        dimensionsMap: { TableName: namesOf(settings.name).journal, Operation: operation },
        statistic: 'Sum',
        label: operation
      })
    return [
      graph('Tasks', [
        entry.targetGroup.metrics.healthyHostCount({ statistic: 'Maximum', label: 'web, healthy' }),
        runningTasks(worker, { statistic: 'Minimum', label: 'worker, running' })
      ]),
      graph('CPU and memory, %', [
        web.metricCpuUtilization({ label: 'CPU of web' }),
        web.metricMemoryUtilization({ label: 'memory of web' }),
        worker.metricCpuUtilization({ label: 'CPU of worker' }),
        worker.metricMemoryUtilization({ label: 'memory of worker' })
      ]),
      graph('Refused by the journal for its load', [
        throttled('UpdateItem'),
        throttled('PutItem'),
        throttled('GetItem')
      ])
    ]
  }
}

const graph = (title: string, left: IMetric[], right: IMetric[] = []) =>
  new GraphWidget({ title, left, right, width: 8, height: HEIGHT, leftYAxis: { min: 0 } })
