import { Duration } from 'aws-cdk-lib'
import { MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import { listenerMetric, runningTasks } from './cloudwatch-metrics.ts'
import type { AlarmDefinition, MonitoringProps } from './monitoring-props.ts'

const FIVE_MINUTES = Duration.minutes(5)

/** Returns the alarms of the role `poll`; none where it does not run. */
export function pollAlarms({ settings, services }: MonitoringProps): Record<string, AlarmDefinition> {
  const { poll } = services
  if (!poll) return {}
  const Role = { Role: 'poll' }
  return {
    NoPoll: {
      metric: runningTasks(poll, { statistic: 'Minimum', period: Duration.minutes(1) }),
      threshold: 1,
      firesBelow: true,
      periods: 5,
      missingData: TreatMissingData.BREACHING,
      meaning: 'No poll task is running. Notifications wait in the poll channel.'
    },
    PollFailing: {
      metric: listenerMetric(settings, 'PollFailures', Role, { statistic: 'Sum', period: FIVE_MINUTES }),
      threshold: 1,
      periods: 3,
      meaning:
        'The poll role cannot read the channel, or SQS does not store. Notifications wait in the channel.'
    },
    PollRefused: {
      metric: new MathExpression({
        label: 'refused or unreadable',
        period: FIVE_MINUTES,
        expression: 'FILL(refused, 0) + FILL(flawed, 0)',
        usingMetrics: {
          refused: listenerMetric(settings, 'NotificationsRefused', Role, { statistic: 'Sum' }),
          flawed: listenerMetric(settings, 'PollMessagesFlawed', Role, { statistic: 'Sum' })
        }
      }),
      threshold: 1,
      meaning: 'A notification of the poll channel does not verify or cannot be read. It is lost after a day.'
    }
  }
}
