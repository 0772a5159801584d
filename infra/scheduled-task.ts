import type { Duration } from 'aws-cdk-lib'
import type { SecurityGroup } from 'aws-cdk-lib/aws-ec2'
import type { Cluster, FargateTaskDefinition } from 'aws-cdk-lib/aws-ecs'
import { EcsRunFargateTask } from 'aws-cdk-lib/aws-scheduler-targets'

export interface ScheduledTaskProps {
  cluster: Cluster
  task: FargateTaskDefinition
  securityGroup: SecurityGroup
}

/** Returns the target of a schedule that starts a task in the private subnets. */
export const scheduledTask = (
  { cluster, task, securityGroup }: ScheduledTaskProps,
  start: { retryAttempts: number; maxEventAge: Duration }
): EcsRunFargateTask =>
  new EcsRunFargateTask(cluster, {
    taskDefinition: task,
    securityGroups: [securityGroup],
    vpcSubnets: { subnets: cluster.vpc.privateSubnets },
    assignPublicIp: false,
    ...start
  })
