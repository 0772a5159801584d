import { Duration } from 'aws-cdk-lib'
import { MathExpression } from 'aws-cdk-lib/aws-cloudwatch'
import type { FargateService } from 'aws-cdk-lib/aws-ecs'
import { runningTasks, throttledCalls } from './cloudwatch-metrics.ts'
import type { AlarmDefinition, MonitoringProps } from './monitoring-props.ts'

const FIVE_MINUTES = Duration.minutes(5)

/** Throttled calls in five minutes. The SDK repeats each. */
const THROTTLED_CALLS = 50

/** Calls of the journal that an event waits for. Those of searches are in infra/activity-monitoring.ts. */
const CALLS = ['UpdateItem', 'PutItem', 'GetItem', 'DeleteItem'] as const

/** Returns the alarms for limits that the listener has reached. */
export function capacityAlarms({ settings, services }: MonitoringProps): Record<string, AlarmDefinition> {
  const { web, worker } = settings
  return {
    JournalThrottled: {
      metric: new MathExpression({
        label: 'throttled calls',
        period: FIVE_MINUTES,
        expression: CALLS.map((call) => `FILL(${idOf(call)}, 0)`).join(' + '),
        usingMetrics: Object.fromEntries(CALLS.map((call) => [idOf(call), throttledCalls(settings, call)]))
      }),
      threshold: THROTTLED_CALLS,
      meaning: 'DynamoDB throttles the journal. Events are processed late.'
    },
    ...atMaximum('WebAtMaximum', services.web, web, 'web', 'Notifications may be answered late or 503.'),
    ...atMaximum('WorkerAtMaximum', services.worker, worker, 'worker', 'Events wait in the queue.')
  }
}

/** Returns the alarm of a role at its maximum; none without scaling, where there is no maximum to reach. */
function atMaximum(
  alarm: string,
  service: FargateService,
  { minimumTasks, maximumTasks }: { minimumTasks: number; maximumTasks: number },
  role: string,
  effect: string
): Record<string, AlarmDefinition> {
  if (minimumTasks === maximumTasks) return {}
  return {
    [alarm]: {
      metric: runningTasks(service, { statistic: 'Minimum', period: FIVE_MINUTES }),
      threshold: maximumTasks,
      periods: 3,
      meaning: `All ${maximumTasks} tasks that ${role}.maximumTasks allows run for 15 minutes. ${effect}`
    }
  }
}

const idOf = (operation: string): string => operation.toLowerCase()
