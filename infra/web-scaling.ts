import { Duration } from 'aws-cdk-lib'
import type { FargateService } from 'aws-cdk-lib/aws-ecs'
import type { ApplicationTargetGroup } from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import type { Settings } from './settings.ts'

const COOLDOWN = { scaleOutCooldown: Duration.minutes(1), scaleInCooldown: Duration.minutes(5) }

/** Scales `web` on requests per task and on CPU. */
export function scaleWeb(
  service: FargateService,
  targetGroup: ApplicationTargetGroup,
  { minimumTasks, maximumTasks, requestsPerTask, cpuPercent }: Settings['web']
): void {
  const scaling = service.autoScaleTaskCount({ minCapacity: minimumTasks, maxCapacity: maximumTasks })
  scaling.scaleOnRequestCount('Requests', { targetGroup, requestsPerTarget: requestsPerTask, ...COOLDOWN })
  scaling.scaleOnCpuUtilization('Cpu', { targetUtilizationPercent: cpuPercent, ...COOLDOWN })
}
