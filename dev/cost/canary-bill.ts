import { canaryMinutes } from '../../infra/canary-minutes.ts'
import type { Settings } from '../../infra/settings.ts'
import { MINUTES } from './month.ts'
import { priceOf } from './prices.ts'

/** Fargate bills at least a minute of each task. */
const TASK = { vcpu: 0.25, gb: 0.5, hours: 1 / 60 }
/** Number of metrics: CanariesEnded, CanariesFailed, CanaryLatency. */
const METRICS = 3
/** Number of alarm metrics: those of CanaryFailed and CanaryMissing, and two of DeploymentCanary. */
const ALARM_METRICS = 4

/** Returns the cost of `canaryEvery`, by item of the bill; undefined without it. */
export function canaryBill(settings: Settings) {
  const minutes = canaryMinutes(settings)
  if (minutes === undefined) return undefined
  return {
    task: { vcpu: TASK.vcpu, gb: TASK.gb, hours: (MINUTES / minutes) * TASK.hours },
    metrics: priceOf('metricMonth', METRICS) + priceOf('alarmMonth', ALARM_METRICS)
  }
}
