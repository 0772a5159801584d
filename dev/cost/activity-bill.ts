import type { Settings } from '../../infra/settings.ts'
import { liveReads } from './journal-bill.ts'
import { GB, HOURS } from './month.ts'
import { priceOf } from './prices.ts'
import type { Traffic } from './traffic.ts'

/** Size of the task of the role `activity`, as in infra/services.ts. */
export const ACTIVITY_TASK = { vcpu: 0.25, gb: 0.5 }

/** Capacity of an LCU-hour for open connections and for bytes. */
const LCU_HOUR = { openConnections: 3000, bytes: GB }

/** Messages of the live feed about an event: received, then finished. */
const MESSAGES = 2

/** Returns the cost of the role `activity`, by item of the bill. Its task is in the item of tasks. */
export function activityBill(events: number, settings: Settings, traffic: Traffic) {
  if (!settings.activity) return undefined
  const { viewers, viewerHours, viewerMessageBytes, activityMetrics, activityAlarmMetrics } = traffic
  const bytes = (viewers * viewerHours * events * MESSAGES * viewerMessageBytes) / HOURS
  const lcuHours = Math.max((viewers * viewerHours) / LCU_HOUR.openConnections, bytes / LCU_HOUR.bytes)
  return {
    balancer: priceOf('albLcuHour', lcuHours) + priceOf('egressGb', bytes / GB),
    reads: liveReads(events, traffic),
    metrics: priceOf('metricMonth', activityMetrics) + priceOf('alarmMonth', activityAlarmMetrics),
    secrets: priceOf('secretMonth', 1 + Number(settings.activityReadTokens) + Number(!!settings.activityOidc))
  }
}
