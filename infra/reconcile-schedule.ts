import { Duration } from 'aws-cdk-lib'
import type { SecurityGroup } from 'aws-cdk-lib/aws-ec2'
import type { Cluster, FargateTaskDefinition } from 'aws-cdk-lib/aws-ecs'
import { Schedule, ScheduleExpression } from 'aws-cdk-lib/aws-scheduler'
import { EcsRunFargateTask } from 'aws-cdk-lib/aws-scheduler-targets'
import { Construct } from 'constructs'
import type { Settings } from './settings.ts'

export interface ReconcileScheduleProps {
  settings: Settings
  cluster: Cluster
  task: FargateTaskDefinition
  securityGroup: SecurityGroup
}

/** Has the command `reconcile` run again and again, as a task of its own. */
export class ReconcileSchedule extends Construct {
  constructor(
    scope: Construct,
    id: string,
    { settings, cluster, task, securityGroup }: ReconcileScheduleProps
  ) {
    super(scope, id)
    new Schedule(this, 'Schedule', {
      description: 'finds what Cloudinary has and never told of',
      schedule: ScheduleExpression.expression(settings.reconcileEvery),
      target: new EcsRunFargateTask(cluster, {
        taskDefinition: task,
        securityGroups: [securityGroup],
        vpcSubnets: { subnets: cluster.vpc.privateSubnets },
        assignPublicIp: false,
        // the next one finds what this one has not
        retryAttempts: 3,
        maxEventAge: Duration.minutes(30)
      })
    })
  }
}
