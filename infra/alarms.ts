import { Duration } from 'aws-cdk-lib'
import { Alarm, ComparisonOperator, MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { HttpCodeElb, HttpCodeTarget } from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import { activityAlarms } from './activity-monitoring.ts'
import { canaryAlarms } from './canary-alarms.ts'
import { capacityAlarms } from './capacity-alarms.ts'
import { blockedRequests, listenerMetric, runningTasks } from './cloudwatch-metrics.ts'
import { RATE_RULE } from './firewall.ts'
import type { AlarmDefinition, MonitoringProps } from './monitoring-props.ts'
import { pollAlarms } from './poll-alarms.ts'
import { refusalAlarms } from './refusal-alarms.ts'
import { namesOf } from './resource-names.ts'

export interface AlarmsProps extends MonitoringProps {
  topic: ITopic
}

const MINUTE = Duration.minutes(1)
const FIVE_MINUTES = Duration.minutes(5)

/** 5xx responses in five minutes. Cloudinary's retries recover from one or two. */
const SERVER_ERRORS = 5

/** The CloudWatch alarms. docs/operations.md says what to do for each; a test checks that it does. */
export class Alarms extends Construct {
  readonly alarms: readonly Alarm[]

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id)
    const { settings, topic } = props
    const action = new SnsAction(topic)
    this.alarms = Object.entries(definitionsOf(props)).map(([name, definition]) => {
      const {
        metric,
        threshold,
        firesBelow,
        periods = 1,
        breachingPeriods,
        missingData,
        meaning
      } = definition
      const alarm = new Alarm(this, name, {
        alarmName: namesOf(settings.name).alarm(name),
        alarmDescription: `${meaning} What to do: docs/operations.md, "Alarms", ${name}.`,
        metric,
        threshold,
        comparisonOperator: firesBelow
          ? ComparisonOperator.LESS_THAN_THRESHOLD
          : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        evaluationPeriods: periods,
        ...(breachingPeriods && { datapointsToAlarm: breachingPeriods }),
        treatMissingData: missingData ?? TreatMissingData.NOT_BREACHING
      })
      alarm.addAlarmAction(action)
      alarm.addOkAction(action)
      return alarm
    })
  }
}

const definitionsOf = (props: MonitoringProps): Record<string, AlarmDefinition> => ({
  ...coreAlarms(props),
  ...refusalAlarms(props),
  ...capacityAlarms(props),
  ...pollAlarms(props),
  ...activityAlarms(props)
})

function coreAlarms(props: MonitoringProps): Record<string, AlarmDefinition> {
  const { settings, region, loadBalancer, queues, services } = props
  const refused = (Reason: string) =>
    listenerMetric(settings, 'NotificationsRefused', { Role: 'web', Reason }, { statistic: 'Sum' })
  return {
    OldestMessage: {
      // SQS leaves out messages that were received several times; the worker knows only messages it received
      metric: new MathExpression({
        label: 'oldest event, s',
        period: FIVE_MINUTES,
        expression:
          'IF(FILL(waiting, 0) * 1000 > FILL(retried, 0), FILL(waiting, 0), FILL(retried, 0) / 1000)',
        usingMetrics: {
          waiting: queues.queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum' }),
          retried: listenerMetric(settings, 'RetriedEventAge', { Role: 'worker' }, { statistic: 'Maximum' })
        }
      }),
      threshold: settings.alarmOldestSeconds,
      // the worker reports an old event only when it retries it, up to 15 minutes apart
      periods: 3,
      breachingPeriods: 1,
      meaning: 'An event is too old: it waits for its first attempt or for a retry.'
    },
    DeadLetters: {
      metric: queues.deadLetterQueue.metricApproximateNumberOfMessagesVisible({
        statistic: 'Maximum',
        period: MINUTE
      }),
      threshold: 1,
      meaning: 'An event could not be processed and was dead-lettered.'
    },
    ServerErrors: {
      metric: new MathExpression({
        label: '5xx responses of load balancer and web',
        period: FIVE_MINUTES,
        expression: 'FILL(web, 0) + FILL(balancer, 0)',
        usingMetrics: {
          // not those of `activity`
          web: loadBalancer.targetGroup.metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, {
            statistic: 'Sum'
          }),
          balancer: loadBalancer.balancer.metrics.httpCodeElb(HttpCodeElb.ELB_5XX_COUNT, { statistic: 'Sum' })
        }
      }),
      threshold: SERVER_ERRORS,
      meaning:
        'Notifications may not be stored: web failed, or the load balancer found no task of web or activity. ' +
        'Cloudinary retries each notification up to three times.'
    },
    RefusedSignatures: {
      metric: new MathExpression({
        label: 'refused: bad signature',
        period: FIVE_MINUTES,
        expression: 'FILL(invalid, 0) + FILL(expired, 0)',
        usingMetrics: { invalid: refused('SIGNATURE_INVALID'), expired: refused('SIGNATURE_EXPIRED') }
      }),
      threshold: settings.alarmRefusedSignatures,
      meaning: 'Signatures do not verify: a key has changed, or somebody forges notifications.'
    },
    NoHealthyWeb: {
      metric: loadBalancer.targetGroup.metrics.healthyHostCount({ statistic: 'Maximum', period: MINUTE }),
      threshold: 1,
      firesBelow: true,
      periods: 2,
      missingData: TreatMissingData.BREACHING,
      meaning: 'No web task is healthy: no notification is accepted.'
    },
    // a worker that may scale to zero is covered by OldestMessage
    ...(settings.worker.minimumTasks > 0 && {
      NoWorker: {
        metric: runningTasks(services.worker, { statistic: 'Minimum', period: MINUTE }),
        threshold: 1,
        firesBelow: true as const,
        periods: 5,
        missingData: TreatMissingData.BREACHING,
        meaning: 'No worker task is running. Events wait in the queue.'
      }
    }),
    BreakerOpen: {
      metric: listenerMetric(
        settings,
        'BreakerOpen',
        { Role: 'worker' },
        { statistic: 'Maximum', period: MINUTE }
      ),
      threshold: 1,
      periods: 3,
      meaning:
        'Calls to Cloudinary are stopped, and events wait: an outage, a rate limit, or a revoked key. ' +
        'Read `why` in the line `circuit breaker opened` of the worker: CLOUDINARY_UNAUTHORIZED needs a ' +
        'valid key in the secret.'
    },
    // ReconcileSchedule reports a task that failed or that ECS could not start
    ...(services.reconcile && {
      ReconcileNotStarted: {
        metric: services.reconcile.group.metricTargetErrors({ statistic: 'Sum', period: FIVE_MINUTES }),
        threshold: 1,
        meaning: 'EventBridge Scheduler could not start `reconcile`.'
      }
    }),
    FirewallRate: {
      metric: blockedRequests(settings, region, RATE_RULE, { period: FIVE_MINUTES }),
      threshold: 1,
      meaning: 'The firewall blocks an address that sends too many requests. It may belong to Cloudinary.'
    },
    ...canaryAlarms(settings)
  }
}
