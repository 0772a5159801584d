import { RemovalPolicy, Stack } from 'aws-cdk-lib'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Key } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'
import type { Settings } from './settings.ts'

/**
 * Creates a customer-managed KMS key that is rotated every year. Roles get access by their own policies. The
 * key policy allows the AWS services that act without a role: CloudWatch Logs (log groups), CloudWatch and
 * EventBridge (alarm topic).
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
 */
export function createCustomerKey(scope: Construct, { name, retainData }: Settings): Key {
  const { region, account, partition } = Stack.of(scope)
  const key = new Key(scope, 'Key', {
    description: `data of ${name}`,
    enableKeyRotation: true,
    removalPolicy: retainData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY
  })
  const use = (service: string, conditions: Record<string, Record<string, string>> = {}) =>
    key.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal(service)],
        // in a key policy, `*` is the key itself
        actions: [
          'kms:Encrypt',
          'kms:Decrypt',
          'kms:ReEncryptFrom',
          'kms:ReEncryptTo',
          'kms:GenerateDataKey',
          'kms:DescribeKey'
        ],
        resources: ['*'],
        conditions
      })
    )
  use(`logs.${region}.amazonaws.com`, {
    ArnLike: {
      'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:log-group:*`
    }
  })
  use('cloudwatch.amazonaws.com', { StringEquals: { 'aws:SourceAccount': account } })
  // EventBridge passes no account when it publishes to an encrypted topic
  use('events.amazonaws.com')
  return key
}
