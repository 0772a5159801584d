import { Duration } from 'aws-cdk-lib'
import {
  AdjustmentType,
  CfnScalingPolicy,
  MetricAggregationType
} from 'aws-cdk-lib/aws-applicationautoscaling'
import { MathExpression } from 'aws-cdk-lib/aws-cloudwatch'
import type { FargateService, ScalableTaskCount } from 'aws-cdk-lib/aws-ecs'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { runningTasks } from './cloudwatch-metrics.ts'
import type { Settings } from './settings.ts'

export interface WorkerScalingProps {
  settings: Settings
  service: FargateService
  queue: Queue
}

const MINUTE = Duration.minutes(1)

/**
 * Scales `worker` on the backlog per task, and on the age of the oldest message. From zero, the first message
 * starts a task.
 * Source:
 * https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking-metric-math.html
 */
export class WorkerScaling extends Construct {
  readonly #props: WorkerScalingProps
  readonly #tasks: ScalableTaskCount

  constructor(scope: Construct, id: string, props: WorkerScalingProps) {
    super(scope, id)
    this.#props = props
    const { service, settings } = props
    const { minimumTasks, maximumTasks } = settings.worker
    this.#tasks = service.autoScaleTaskCount({ minCapacity: minimumTasks, maxCapacity: maximumTasks })
    this.#scaleOnBacklog()
    this.#scaleOnAge()
    if (minimumTasks === 0) this.#wakeFromZero()
  }

  /** Built from L1 constructs: CDK's target tracking accepts a single metric, not an expression. */
  #scaleOnBacklog(): void {
    const { settings, service, queue } = this.#props
    const sqs = (id: string, metricName: string) => ({
      id,
      returnData: false,
      metricStat: {
        stat: 'Maximum',
        metric: {
          namespace: 'AWS/SQS',
          metricName,
          dimensions: [{ name: 'QueueName', value: queue.queueName }]
        }
      }
    })
    const running = runningTasks(service)
    const policy = new CfnScalingPolicy(this, 'Backlog', {
      policyName: `${settings.name}-backlog-per-task`,
      policyType: 'TargetTrackingScaling',
      serviceNamespace: 'ecs',
      scalableDimension: 'ecs:service:DesiredCount',
      resourceId: `service/${service.cluster.clusterName}/${service.serviceName}`,
      targetTrackingScalingPolicyConfiguration: {
        targetValue: settings.worker.backlogPerTask,
        scaleOutCooldown: 60,
        scaleInCooldown: 300,
        customizedMetricSpecification: {
          metrics: [
            sqs('visible', 'ApproximateNumberOfMessagesVisible'),
            sqs('hidden', 'ApproximateNumberOfMessagesNotVisible'),
            {
              id: 'running',
              returnData: false,
              metricStat: {
                stat: 'Average',
                metric: {
                  namespace: running.namespace,
                  metricName: running.metricName,
                  dimensions: Object.entries(running.dimensions!).map(([name, value]) => ({ name, value }))
                }
              }
            },
            {
              id: 'perTask',
              label: 'backlog per task',
              // hidden messages (in flight or waiting for a retry) count as one: they keep the last worker,
              // but need no second one. SQS may write no data point for them, hence FILL.
              expression: '(visible + IF(FILL(hidden, 0) > 0, 1, 0)) / IF(running < 1, 1, running)',
              returnData: true
            }
          ]
        }
      }
    })
    policy.node.addDependency(this.#tasks)
  }

  /**
   * An event that has failed for an hour is old, but needs no second worker. So the age counts only while
   * more messages wait than one worker processes at a time.
   */
  #scaleOnAge(): void {
    const { settings, queue } = this.#props
    const { oldestSeconds, concurrency } = settings.worker
    this.#tasks.scaleOnMetric('Oldest', {
      metric: new MathExpression({
        label: 'age of the oldest message, while others wait',
        period: MINUTE,
        expression: `IF(visible > ${concurrency}, oldest, 0)`,
        usingMetrics: {
          visible: queue.metricApproximateNumberOfMessagesVisible({ period: MINUTE, statistic: 'Maximum' }),
          oldest: queue.metricApproximateAgeOfOldestMessage({ period: MINUTE, statistic: 'Maximum' })
        }
      }),
      adjustmentType: AdjustmentType.PERCENT_CHANGE_IN_CAPACITY,
      scalingSteps: [
        { lower: oldestSeconds, change: 50 },
        { lower: oldestSeconds * 5, change: 100 }
      ],
      minAdjustmentMagnitude: 1,
      metricAggregationType: MetricAggregationType.MAXIMUM,
      evaluationPeriods: 2,
      cooldown: Duration.minutes(3)
    })
  }

  /** Target tracking scales the current count by a factor, so it never leaves zero. */
  #wakeFromZero(): void {
    const { service, queue } = this.#props
    this.#tasks.scaleOnMetric('Wake', {
      metric: new MathExpression({
        label: 'messages while no worker runs',
        period: MINUTE,
        expression: 'IF(FILL(running, 0) < 1, visible, 0)',
        usingMetrics: {
          visible: queue.metricApproximateNumberOfMessagesVisible({ period: MINUTE, statistic: 'Maximum' }),
          running: runningTasks(service, { period: MINUTE, statistic: 'Maximum' })
        }
      }),
      adjustmentType: AdjustmentType.CHANGE_IN_CAPACITY,
      scalingSteps: [
        { upper: 0, change: 0 },
        { lower: 1, change: 1 }
      ],
      // the alarm keeps firing until Container Insights counts the new task
      cooldown: Duration.minutes(5)
    })
  }
}
