import { Validations } from 'aws-cdk-lib'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription, SmsSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import type { Construct } from 'constructs'
import type { Settings } from './settings.ts'

export interface TopicProps {
  settings: Settings
  /** `alarms`, `notify` */
  use: string
  emails: readonly string[]
  phones?: readonly string[]
  key: IKey | undefined
}

/** An SNS topic and who is told of what it is sent; who is told by e-mail has to confirm it once. */
export function createTopic(
  scope: Construct,
  id: string,
  { settings, use, emails, phones = [], key }: TopicProps
): Topic {
  const topic = new Topic(scope, id, {
    topicName: `${settings.name}-${use}`,
    displayName: `${settings.name} ${use}`,
    enforceSSL: true,
    ...(key && { masterKey: key })
  })
  for (const email of emails) topic.addSubscription(new EmailSubscription(email))
  for (const phone of phones) topic.addSubscription(new SmsSubscription(phone))
  if (!key) {
    Validations.of(topic).acknowledge({
      id: 'AwsSolutions-SNS2',
      reason:
        'It keeps nothing: messages leave for mailboxes and telephones at once. CloudWatch cannot publish to a topic with the key of SNS; customerKey=true encrypts it with a key of your own.'
    })
  }
  return topic
}
