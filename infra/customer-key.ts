import { RemovalPolicy, Stack } from 'aws-cdk-lib'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Key } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'
import type { Settings } from './settings.ts'

/**
 * Creates a customer-managed KMS key that is rotated every year. Its policy lets the account decide, by the policies
 * of roles; no service may use it by itself.
 */
export function createCustomerKey(scope: Construct, { name, retainData }: Settings): Key {
  return new Key(scope, 'Key', {
    description: `data of ${name}`,
    enableKeyRotation: true,
    removalPolicy: retainData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY
  })
}

/** Actions that DynamoDB, on behalf of a caller, and CloudWatch Logs perform on a key. */
export const KEY_USE_ACTIONS = [
  'kms:Encrypt',
  'kms:Decrypt',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
  'kms:GenerateDataKey',
  'kms:DescribeKey'
]

/**
 * Lets CloudWatch Logs encrypt the log groups of the listener.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
 */
export function allowLogs(key: Key, { name }: Settings): void {
  const { region, account, partition } = Stack.of(key)
  const groups = [`/${name}/*`, `/aws/rds/cluster/${name}/*`, `aws-waf-logs-${name}`, `${name}-*`]
  key.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal(`logs.${region}.amazonaws.com`)],
      actions: KEY_USE_ACTIONS,
      // in a key policy, `*` is the key itself
      resources: ['*'],
      conditions: {
        ArnLike: {
          'kms:EncryptionContext:aws:logs:arn': groups.map(
            (group) => `arn:${partition}:logs:${region}:${account}:log-group:${group}`
          )
        }
      }
    })
  )
}

/**
 * Lets a service publish to an encrypted topic. The condition is on the topic and not on the account, because
 * EventBridge passes no account when it publishes.
 * Source: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
 */
export function allowPublisher(key: Key, service: string, topicArn: string): void {
  key.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal(service)],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: ['*'],
      conditions: { StringEquals: { 'kms:EncryptionContext:aws:sns:topicArn': topicArn } }
    })
  )
}
