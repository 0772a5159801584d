import { Duration } from 'aws-cdk-lib'
import { MathExpression } from 'aws-cdk-lib/aws-cloudwatch'
import { listenerMetric } from './cloudwatch-metrics.ts'
import type { AlarmDefinition, MonitoringProps } from './monitoring-props.ts'

/** Unsigned requests in an hour. A scanner that knows the path sends one or two. */
const UNSIGNED = 3

/** Returns the alarms for refused notifications: Cloudinary's retries do not help. */
export function refusalAlarms({ settings, firewall }: MonitoringProps): Record<string, AlarmDefinition> {
  const refused = (Reason: string) =>
    listenerMetric(settings, 'NotificationsRefused', { Role: 'web', Reason }, { statistic: 'Sum' })
  return {
    RefusedTooLarge: {
      metric: new MathExpression({
        label: 'refused: too large',
        period: Duration.minutes(5),
        expression: 'FILL(event, 0) + FILL(body, 0)',
        usingMetrics: { event: refused('EVENT_TOO_LARGE'), body: refused('BODY_TOO_LARGE') }
      }),
      threshold: 1,
      meaning:
        'A notification is lost: it exceeds bodyLimitBytes, or an event of it exceeds what SQS can store.'
    },
    MissingSignatures: {
      metric: refused('SIGNATURE_MISSING').with({ period: Duration.hours(1) }),
      threshold: UNSIGNED,
      meaning:
        'Requests have no signature that the listener knows. If Cloudinary sent them, the notifications are ' +
        'lost: its trigger signs in another way, or a proxy removes headers.'
    },
    FirewallBlocksWebhook: {
      metric: firewall.blockedWebhooks,
      threshold: 1,
      meaning:
        'The firewall blocks requests to the webhook. If Cloudinary sent them, the notifications are lost.'
    }
  }
}
