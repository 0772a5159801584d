import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib'
import { EventField, Match, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events'
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets'
import { Schedule, ScheduleExpression, ScheduleGroup } from 'aws-cdk-lib/aws-scheduler'
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import { type ScheduledTaskProps, scheduledTask } from './scheduled-task.ts'
import type { Settings } from './settings.ts'

export interface ReconcileScheduleProps extends ScheduledTaskProps {
  /** Receives a message when a pass fails. */
  alarmTopic: ITopic
  settings: Settings
}

/** Runs `reconcile` on a schedule as a Fargate task, and reports failures to the alarm topic. */
export class ReconcileSchedule extends Construct {
  /** A group with only this schedule, because EventBridge Scheduler counts start errors per group. */
  readonly group: ScheduleGroup

  constructor(scope: Construct, id: string, props: ReconcileScheduleProps) {
    super(scope, id)
    const { settings, task, alarmTopic } = props
    this.group = new ScheduleGroup(this, 'Group', { removalPolicy: RemovalPolicy.DESTROY })
    new Schedule(this, 'Schedule', {
      scheduleGroup: this.group,
      description: 'Finds changes in Cloudinary whose notification never arrived',
      schedule: ScheduleExpression.expression(settings.reconcileEvery),
      target: scheduledTask(props, {
        // the next pass covers a missed one
        retryAttempts: 3,
        maxEventAge: Duration.minutes(30)
      })
    })
    // a stopped task emits no metric, but ECS sends an event
    const failed = new Rule(this, 'Failed', {
      description: 'reconcile failed, or ECS could not start it',
      eventPattern: {
        source: ['aws.ecs'],
        detailType: ['ECS Task State Change'],
        detail: {
          taskDefinitionArn: [task.taskDefinitionArn],
          lastStatus: ['STOPPED'],
          $or: [{ containers: { exitCode: Match.anythingBut(0) } }, { stopCode: ['TaskFailedToStart'] }]
        }
      },
      targets: [
        // as an existing topic: the CDK would let EventBridge use the key for any topic
        new SnsTopic(Topic.fromTopicArn(this, 'AlarmTopic', alarmTopic.topicArn), {
          message: RuleTargetInput.fromText(
            `reconcile failed: ${EventField.fromPath('$.detail.stoppedReason')}. What to do: docs/operations.md, "Alarms", ReconcileFailed.`
          )
        })
      ]
    })
    Validations.of(failed).acknowledge({
      id: 'Annotation::@aws-cdk/aws-events:ruleUnresolvedEnvironment',
      reason:
        'Rule and topic are in one region and account. Templates name no account, so the CDK cannot know.'
    })
  }
}
