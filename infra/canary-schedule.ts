import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import { Schedule, ScheduleExpression, ScheduleGroup } from 'aws-cdk-lib/aws-scheduler'
import { Construct } from 'constructs'
import { type ScheduledTaskProps, scheduledTask } from './scheduled-task.ts'
import type { Settings } from './settings.ts'

export interface CanaryScheduleProps extends ScheduledTaskProps {
  settings: Settings
}

/** Runs `canary` on a schedule as a Fargate task. Its metrics report failures. */
export class CanarySchedule extends Construct {
  constructor(scope: Construct, id: string, props: CanaryScheduleProps) {
    super(scope, id)
    new Schedule(this, 'Schedule', {
      scheduleGroup: new ScheduleGroup(this, 'Group', { removalPolicy: RemovalPolicy.DESTROY }),
      description: 'Sends a test notification to the webhook and follows its event to the journal',
      schedule: ScheduleExpression.expression(props.settings.canaryEvery),
      target: scheduledTask(props, {
        // a late canary would overlap with the next one
        retryAttempts: 0,
        maxEventAge: Duration.minutes(1)
      })
    })
  }
}
