import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib'
import { EventField, Match, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events'
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets'
import { Schedule, ScheduleExpression, ScheduleGroup } from 'aws-cdk-lib/aws-scheduler'
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import { type ScheduledTaskProps, scheduledTask } from './scheduled-task.ts'

export interface CommandScheduleProps extends ScheduledTaskProps {
  /** The command that the task runs. A missed run must be covered by the next one. */
  command: string
  /** An expression of EventBridge Scheduler. */
  every: string
  description: string
  /** Where operators read what to do when it fails. */
  advice: string
  /** Receives a message when a pass fails. */
  alarmTopic: ITopic
}

/** Runs a command on a schedule as a Fargate task, and reports failures to the alarm topic. */
export class CommandSchedule extends Construct {
  /** A group with only this schedule, because EventBridge Scheduler counts start errors per group. */
  readonly group: ScheduleGroup

  constructor(scope: Construct, id: string, props: CommandScheduleProps) {
    super(scope, id)
    const { command, every, description, advice, task, alarmTopic } = props
    this.group = new ScheduleGroup(this, 'Group', { removalPolicy: RemovalPolicy.DESTROY })
    new Schedule(this, 'Schedule', {
      scheduleGroup: this.group,
      description,
      schedule: ScheduleExpression.expression(every),
      target: scheduledTask(props, {
        // the next pass covers a missed one
        retryAttempts: 3,
        maxEventAge: Duration.minutes(30)
      })
    })
    // a stopped task emits no metric, but ECS sends an event
    const failed = new Rule(this, 'Failed', {
      description: `${command} failed, or ECS could not start it`,
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
        // imported by ARN: given the construct, the CDK would let EventBridge use the key for any topic
        new SnsTopic(Topic.fromTopicArn(this, 'AlarmTopic', alarmTopic.topicArn), {
          message: RuleTargetInput.fromText(
            `${command} failed: ${EventField.fromPath('$.detail.stoppedReason')}. What to do: ${advice}.`
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
