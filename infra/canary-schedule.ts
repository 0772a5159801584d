import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import type { SecurityGroup } from 'aws-cdk-lib/aws-ec2'
import type { Cluster, FargateTaskDefinition } from 'aws-cdk-lib/aws-ecs'
import { Schedule, ScheduleExpression, ScheduleGroup } from 'aws-cdk-lib/aws-scheduler'
import { EcsRunFargateTask } from 'aws-cdk-lib/aws-scheduler-targets'
import { Construct } from 'constructs'
import type { Settings } from './settings.ts'

export interface CanaryScheduleProps {
  settings: Settings
  cluster: Cluster
  task: FargateTaskDefinition
  securityGroup: SecurityGroup
}

/** Runs `canary` on a schedule as a Fargate task. Its metrics report failures. */
export class CanarySchedule extends Construct {
  constructor(scope: Construct, id: string, { settings, cluster, task, securityGroup }: CanaryScheduleProps) {
    super(scope, id)
    new Schedule(this, 'Schedule', {
      scheduleGroup: new ScheduleGroup(this, 'Group', { removalPolicy: RemovalPolicy.DESTROY }),
      description: 'Sends a test notification to the webhook and follows its event to the journal',
      schedule: ScheduleExpression.expression(settings.canaryEvery),
      target: new EcsRunFargateTask(cluster, {
        taskDefinition: task,
        securityGroups: [securityGroup],
        vpcSubnets: { subnets: cluster.vpc.privateSubnets },
        assignPublicIp: false,
        // a late canary would overlap with the next one
        retryAttempts: 0,
        maxEventAge: Duration.minutes(1)
      })
    })
  }
}
