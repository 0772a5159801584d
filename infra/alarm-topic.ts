import { Annotations, type Stack } from 'aws-cdk-lib'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { Key } from 'aws-cdk-lib/aws-kms'
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns'
import { allowPublisher } from './customer-key.ts'
import type { Settings } from './settings.ts'
import { createTopic, topicName } from './topics.ts'

/** Service that sends the alarms. */
const CLOUDWATCH = 'cloudwatch.amazonaws.com'

/** Service that reports a failed run of `reconcile` or `schedules`. */
const EVENTBRIDGE = 'events.amazonaws.com'

/** Returns the topic of alarms: an existing one of the settings, or a new one with its subscribers. */
export function createAlarmTopic(
  stack: Stack,
  settings: Settings,
  region: string,
  key: Key | undefined
): ITopic {
  const { alarmTopicArns, alarmEmails: emails } = settings
  const existing = alarmTopicArns[region]
  if (existing) return Topic.fromTopicArn(stack, 'AlarmTopic', existing)
  if (emails.length === 0) {
    Annotations.of(stack).addWarningV2(
      'cloudinary-listener:no-alarm-address',
      `nobody gets the alarms of ${region}: set alarmEmails, or a topic of your own in alarmTopicArns (docs/deploy.md).`
    )
  }
  const suffix = 'alarms'
  const topic = createTopic(stack, 'AlarmTopic', { settings, suffix, emails, key })
  for (const service of [CLOUDWATCH, EVENTBRIDGE]) {
    // `enforceSSL` gives the topic a policy, which replaces the default one that allows services to publish
    topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal(service)],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        // EventBridge passes no account
        ...(service === CLOUDWATCH && {
          conditions: { StringEquals: { 'aws:SourceAccount': stack.account } }
        })
      })
    )
    // the topic is given by name, because it refers to the key
    const arn = stack.formatArn({ service: 'sns', resource: topicName(settings, suffix) })
    if (key) allowPublisher(key, service, arn)
  }
  return topic
}
