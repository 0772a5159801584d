import { Validations } from 'aws-cdk-lib'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription, SmsSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import type { Construct } from 'constructs'
import type { Settings } from './settings.ts'

export interface TopicProps {
  settings: Settings
  /** Second part of the topic's name: `alarms` or `notify`. */
  suffix: string
  emails: readonly string[]
  phones?: readonly string[]
  key: IKey | undefined
}

export const topicName = ({ name }: Settings, suffix: string): string => `${name}-${suffix}`

/** Creates an SNS topic and its subscriptions. E-mail subscribers must confirm once. */
export function createTopic(
  scope: Construct,
  id: string,
  { settings, suffix, emails, phones = [], key }: TopicProps
): Topic {
  const topic = new Topic(scope, id, {
    topicName: topicName(settings, suffix),
    displayName: `${settings.name} ${suffix}`,
    enforceSSL: true,
    ...(key && { masterKey: key })
  })
  for (const email of emails) topic.addSubscription(new EmailSubscription(email))
  for (const phone of phones) topic.addSubscription(new SmsSubscription(phone))
  if (!key) {
    Validations.of(topic).acknowledge({
      id: 'AwsSolutions-SNS2',
      reason:
        'The topic stores no messages. CloudWatch cannot publish to a topic encrypted with the key of SNS; customerKey=true encrypts it with a key of your own.'
    })
  }
  return topic
}
