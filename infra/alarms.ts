import { Duration, Stack } from 'aws-cdk-lib'
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  TreatMissingData
} from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { HttpCodeElb, HttpCodeTarget } from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import type { Entry } from './entry.ts'
import { RATE_RULE } from './firewall.ts'
import { blockedRequests, listenerMetric, runningTasks } from './metrics.ts'
import { namesOf } from './names.ts'
import type { Queues } from './queues.ts'
import type { Services } from './services.ts'
import type { Settings } from './settings.ts'

export interface WatchedProps {
  settings: Settings
  region: string
  entry: Entry
  queues: Queues
  services: Services
}

export interface AlarmsProps extends WatchedProps {
  topic: ITopic
}

interface Watch {
  metric: IMetric
  /** It goes off at this, or below it where `isLow`. */
  threshold: number
  isLow?: true
  /** So many periods one after the other, or so many of them. */
  periods?: number
  ofThem?: number
  /** What no data means: for most, that nothing happened. */
  missing?: TreatMissingData
  meaning: string
}

const MINUTE = Duration.minutes(1)
const FIVE_MINUTES = Duration.minutes(5)

/** Answers of 5xx in five minutes; one or two of them Cloudinary's retries mend without a person. */
const SERVER_ERRORS = 5

/** Tells people when something is wrong. docs/operations.md has a line for each, which says what to do. */
export class Alarms extends Construct {
  readonly alarms: readonly Alarm[]

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id)
    const { settings, topic } = props
    const action = new SnsAction(topic)
    const { account } = Stack.of(this)
    // a topic that has a policy, as this one for TLS, loses the default one, which lets CloudWatch in
    topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': account } }
      })
    )
    this.alarms = Object.entries(watches(props)).map(([name, { metric, threshold, isLow, ...watch }]) => {
      const alarm = new Alarm(this, name, {
        alarmName: `${namesOf(settings.name).alarm(name)}`,
        alarmDescription: `${watch.meaning} What to do: docs/operations.md, "Alarms", ${name}.`,
        metric,
        threshold,
        comparisonOperator: isLow
          ? ComparisonOperator.LESS_THAN_THRESHOLD
          : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        evaluationPeriods: watch.periods ?? 1,
        ...(watch.ofThem && { datapointsToAlarm: watch.ofThem }),
        treatMissingData: watch.missing ?? TreatMissingData.NOT_BREACHING
      })
      alarm.addAlarmAction(action)
      alarm.addOkAction(action)
      return alarm
    })
  }
}

function watches({ settings, region, entry, queues, services }: WatchedProps): Record<string, Watch> {
  const refused = (Reason: string) =>
    listenerMetric(settings, 'NotificationsRefused', { Role: 'web', Reason }, { statistic: 'Sum' })
  return {
    OldestMessage: {
      // SQS leaves out what it has given out again and again, and the worker knows nothing of what it was not given
      metric: new MathExpression({
        label: 'age of the oldest event, s',
        period: FIVE_MINUTES,
        expression: 'IF(FILL(waiting, 0) * 1000 > FILL(given, 0), FILL(waiting, 0), FILL(given, 0) / 1000)',
        usingMetrics: {
          waiting: queues.queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum' }),
          given: listenerMetric(settings, 'RetriedEventAge', { Role: 'worker' }, { statistic: 'Maximum' })
        }
      }),
      threshold: settings.alarmOldestSeconds,
      // an event that is old is tried again after minutes
      periods: 3,
      ofThem: 1,
      meaning: 'An event has waited too long, for the first time or to be tried again.'
    },
    DeadLetters: {
      metric: queues.deadLetterQueue.metricApproximateNumberOfMessagesVisible({
        statistic: 'Maximum',
        period: MINUTE
      }),
      threshold: 1,
      meaning: 'An event could not be processed and was put aside.'
    },
    ServerErrors: {
      metric: new MathExpression({
        label: '5xx of load balancer and web',
        period: FIVE_MINUTES,
        expression: 'FILL(web, 0) + FILL(balancer, 0)',
        usingMetrics: {
          web: entry.loadBalancer.metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, {
            statistic: 'Sum'
          }),
          balancer: entry.loadBalancer.metrics.httpCodeElb(HttpCodeElb.ELB_5XX_COUNT, { statistic: 'Sum' })
        }
      }),
      threshold: SERVER_ERRORS,
      meaning: 'Notifications were not stored; Cloudinary sends them again, three times.'
    },
    RefusedSignatures: {
      metric: new MathExpression({
        label: 'refused for their signature',
        period: FIVE_MINUTES,
        expression: 'FILL(invalid, 0) + FILL(expired, 0)',
        usingMetrics: { invalid: refused('SIGNATURE_INVALID'), expired: refused('SIGNATURE_EXPIRED') }
      }),
      threshold: settings.alarmRefusedSignatures,
      meaning: 'Notifications do not verify: a key has changed, or somebody tries to forge them.'
    },
    NoHealthyWeb: {
      metric: entry.targetGroup.metrics.healthyHostCount({ statistic: 'Maximum', period: MINUTE }),
      threshold: 1,
      isLow: true,
      periods: 2,
      missing: TreatMissingData.BREACHING,
      meaning: 'No task of web takes notifications.'
    },
    // at rest there is none, and OldestMessage tells if none wakes up
    ...(settings.worker.minimumTasks > 0 && {
      NoWorker: {
        metric: runningTasks(services.worker, { statistic: 'Minimum', period: MINUTE }),
        threshold: 1,
        isLow: true as const,
        periods: 5,
        missing: TreatMissingData.BREACHING,
        meaning: 'No task of worker runs.'
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
      meaning: 'Cloudinary is down or limits calls; events wait, and go on by themselves.'
    },
    // a task that fails, or that ECS cannot start, is told of by ECS itself
    ...(services.reconcile && {
      ReconcileNotStarted: {
        metric: services.reconcile.group.metricTargetErrors({ statistic: 'Sum', period: FIVE_MINUTES }),
        threshold: 1,
        meaning: 'EventBridge Scheduler was not allowed to run `reconcile`.'
      }
    }),
    FirewallRate: {
      metric: blockedRequests(settings, region, RATE_RULE, { period: FIVE_MINUTES }),
      threshold: 1,
      meaning: 'The firewall blocks an address for its number of requests; it may be one of Cloudinary.'
    }
  }
}
