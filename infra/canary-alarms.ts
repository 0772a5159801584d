import { Duration } from 'aws-cdk-lib'
import { TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import { canaryMinutes } from './canary-minutes.ts'
import { listenerMetric } from './cloudwatch-metrics.ts'
import type { AlarmDefinition } from './monitoring-props.ts'
import type { Settings } from './settings.ts'

const PERIOD = Duration.minutes(5)

/** Returns the alarms of the canaries; none without them. */
export function canaryAlarms(settings: Settings): Record<string, AlarmDefinition> {
  const minutes = canaryMinutes(settings)
  if (minutes === undefined) return {}
  const sum = (name: 'CanariesFailed' | 'CanariesEnded') =>
    listenerMetric(settings, name, { Role: 'canary' }, { statistic: 'Sum', period: PERIOD })
  const periods = Math.max(3, Math.ceil((2 * minutes + 5) / 5))
  return {
    CanaryFailed: {
      metric: sum('CanariesFailed'),
      threshold: 1,
      periods,
      breachingPeriods: 2,
      meaning: 'Test notifications are refused, or their journey to the journal does not end.'
    },
    CanaryMissing: {
      metric: sum('CanariesEnded'),
      threshold: 1,
      firesBelow: true,
      periods,
      missingData: TreatMissingData.BREACHING,
      meaning: 'No test notification has ended its journey, or none was sent.'
    }
  }
}
