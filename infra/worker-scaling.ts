import { Duration } from 'aws-cdk-lib'
import {
  AdjustmentType,
  CfnScalingPolicy,
  MetricAggregationType
} from 'aws-cdk-lib/aws-applicationautoscaling'
import { MathExpression, type Metric } from 'aws-cdk-lib/aws-cloudwatch'
import type { FargateService, ScalableTaskCount } from 'aws-cdk-lib/aws-ecs'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { desiredTasks, listenerMetric } from './cloudwatch-metrics.ts'
import type { Settings } from './settings.ts'

export interface WorkerScalingProps {
  settings: Settings
  service: FargateService
  queue: Queue
}

const MINUTE = Duration.minutes(1)

/**
 * Time between two actions of a policy: longer than a task takes to start plus the delay of a metric, so that
 * policies see their effect before they act again.
 */
const COOLDOWN = Duration.minutes(5)

/**
 * CPU utilisation below which a worker is idle. That of the last task counts as 0: target tracking rounds up,
 * and would keep the task.
 */
const IDLE_CPU_PERCENT = 10

/** Utilisation below which more tasks would not help: the messages that wait are of few assets. */
const FEW_ASSETS_PERCENT = 50

/**
 * Scales `worker` on the backlog per task, CPU, the assets in progress, and the age of the oldest message. From zero,
 * the first message starts a task. Application Auto Scaling follows the policy that wants most tasks, so it removes
 * tasks only if none needs them: by the backlog alone it would remove those that keep it empty.
 * docs/decisions/0031 has the reasons; a test simulates the policies of the templates.
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
    this.#trackBacklog()
    this.#trackUtilisation()
    this.#scaleOnAge()
    if (minimumTasks === 0) this.#wakeFromZero()
  }

  get #visible(): Metric {
    return this.#props.queue.metricApproximateNumberOfMessagesVisible({
      period: MINUTE,
      statistic: 'Maximum'
    })
  }

  /** Share of WORKER_CONCURRENCY in use, on average of the tasks. */
  get #busy(): Metric {
    return listenerMetric(
      this.#props.settings,
      'ConcurrencyUsed',
      { Role: 'worker' },
      { period: MINUTE, statistic: 'Average' }
    )
  }

  /** Tasks that should run, not those that do: the count is then right as soon as a policy has changed it. */
  get #desired(): Metric {
    return desiredTasks(this.#props.service, { period: MINUTE, statistic: 'Maximum' })
  }

  #trackBacklog(): void {
    const { settings, queue } = this.#props
    this.#track('Backlog', `${settings.name}-backlog-per-task`, settings.worker.backlogPerTask, {
      label: 'backlog per task',
      // hidden messages (in flight or waiting for a retry) count as one: they keep the last worker, but need no
      // second one. SQS may write no data point for them, hence FILL.
      expression:
        '(visible + IF(FILL(hidden, 0) > 0, 1, 0)) / IF(FILL(desired, REPEAT) < 1, 1, FILL(desired, REPEAT))',
      metrics: {
        visible: this.#visible,
        hidden: queue.metricApproximateNumberOfMessagesNotVisible({ period: MINUTE, statistic: 'Maximum' }),
        desired: this.#desired
      }
    })
  }

  #trackUtilisation(): void {
    const { settings, service } = this.#props
    const { cpuPercent, busyPercent } = settings.worker
    this.#track('Cpu', `${settings.name}-cpu`, cpuPercent, {
      label: 'CPU, %',
      // only the last: many tasks with little CPU each are few tasks' work, not none
      expression: `IF(cpu < ${IDLE_CPU_PERCENT} AND FILL(desired, REPEAT) < 2, 0, cpu)`,
      metrics: {
        cpu: service.metricCpuUtilization({ period: MINUTE, statistic: 'Average' }),
        desired: this.#desired
      }
    })
    this.#track('Busy', `${settings.name}-assets-in-progress`, busyPercent, {
      label: 'assets in progress, % of the concurrency',
      expression: 'busy * 1',
      metrics: { busy: this.#busy }
    })
  }

  /** Built from L1 constructs: CDK's target tracking accepts a single metric, not an expression. */
  #track(
    id: string,
    policyName: string,
    targetValue: number,
    { label, expression, metrics }: { label: string; expression: string; metrics: Record<string, Metric> }
  ): void {
    const { service } = this.#props
    const policy = new CfnScalingPolicy(this, id, {
      policyName,
      policyType: 'TargetTrackingScaling',
      serviceNamespace: 'ecs',
      scalableDimension: 'ecs:service:DesiredCount',
      resourceId: `service/${service.cluster.clusterName}/${service.serviceName}`,
      targetTrackingScalingPolicyConfiguration: {
        targetValue,
        scaleOutCooldown: COOLDOWN.toSeconds(),
        scaleInCooldown: COOLDOWN.toSeconds(),
        customizedMetricSpecification: {
          metrics: [
            ...Object.entries(metrics).map(([metricId, metric]) => ({
              id: metricId,
              returnData: false,
              metricStat: {
                stat: metric.statistic,
                metric: {
                  namespace: metric.namespace,
                  metricName: metric.metricName,
                  dimensions: Object.entries(metric.dimensions!).map(([name, value]) => ({ name, value }))
                }
              }
            })),
            { id: 'tracked', label, expression, returnData: true }
          ]
        }
      }
    })
    policy.node.addDependency(this.#tasks)
  }

  /**
   * Scales on the age of the oldest message. An event that has failed for an hour is old, but needs no second
   * worker. So the age counts only while more messages wait than one worker processes at a time, and the
   * workers are busy: the messages of one asset are processed one by one, by any number of tasks.
   */
  #scaleOnAge(): void {
    const { settings, queue } = this.#props
    const { oldestSeconds, concurrency } = settings.worker
    this.#tasks.scaleOnMetric('Oldest', {
      metric: new MathExpression({
        label: 'age of the oldest message, while others wait',
        period: MINUTE,
        expression: `IF(visible > ${concurrency} AND FILL(busy, 100) > ${FEW_ASSETS_PERCENT}, oldest, 0)`,
        usingMetrics: {
          visible: this.#visible,
          busy: this.#busy,
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
      cooldown: COOLDOWN
    })
  }

  /**
   * Starts a task for the first message. Target tracking scales the current count by a factor, so it never
   * leaves zero.
   */
  #wakeFromZero(): void {
    this.#tasks.scaleOnMetric('Wake', {
      metric: new MathExpression({
        label: 'messages while no worker is wanted',
        period: MINUTE,
        // Container Insights may write nothing for a service without tasks; a worker that reports runs
        expression: 'IF(FILL(desired, 0) < 1 AND FILL(busy, -1) < 0, visible, 0)',
        usingMetrics: { visible: this.#visible, desired: this.#desired, busy: this.#busy }
      }),
      adjustmentType: AdjustmentType.CHANGE_IN_CAPACITY,
      scalingSteps: [
        { upper: 0, change: 0 },
        { lower: 1, change: 1 }
      ],
      // the alarm keeps firing until Container Insights counts the new task
      cooldown: Duration.minutes(10)
    })
  }
}
