import type { IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import type { Firewall } from './firewall.ts'
import type { LoadBalancer } from './load-balancer.ts'
import type { Queues } from './queues.ts'
import type { Services } from './services.ts'
import type { Settings } from './settings.ts'

/** What alarms and dashboards watch. */
export interface MonitoringProps {
  settings: Settings
  region: string
  loadBalancer: LoadBalancer
  firewall: Firewall
  queues: Queues
  services: Services
}

export interface AlarmDefinition {
  metric: IMetric
  /** The alarm fires at or above this value; below it with `firesBelow`. */
  threshold: number
  firesBelow?: true
  /** Number of periods to evaluate. (Default: 1) */
  periods?: number
  /** Number of `periods` that must breach. (Default: all) */
  breachingPeriods?: number
  /** How to treat missing data. (Default: as not breaching) */
  missingData?: TreatMissingData
  meaning: string
}
