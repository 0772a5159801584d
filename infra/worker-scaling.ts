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
import { runningTasks } from './metrics.ts'
import type { Settings } from './settings.ts'

export interface WorkerScalingProps {
  settings: Settings
  service: FargateService
  queue: Queue
}

const MINUTE = Duration.minutes(1)

/**
 * As many workers as the backlog asks for: so many messages for each task. More of them when the oldest message waits too
 * long. At zero, the first message starts one.
 * Source: https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking-metric-math.html
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

  /** CDK's own target tracking takes one metric; backlog per task is made of several. */
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
              // SQS may write no number of hidden ones where there are none;
              // what is in hand, or waits to be tried again, asks for no second worker, but the last one stays for it
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
   * An event that fails for an hour is old, and needs no second worker: so the age counts only while more messages wait
   * than one worker takes.
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

  /** Target tracking multiplies what there is, and zero stays zero. */
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
      // until it is counted as running, the alarm goes on
      cooldown: Duration.minutes(5)
    })
  }
}
