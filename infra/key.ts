import { RemovalPolicy, Stack } from 'aws-cdk-lib'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Key } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'
import type { Settings } from './settings.ts'

/**
 * The customer's own key, rotated every year. Roles are given its use by their own policies; here are the services of AWS
 * that use it for nobody's role: CloudWatch Logs for the log groups, CloudWatch and EventBridge for the topic that alarms go to.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
 */
export function createKey(scope: Construct, { name, retainData }: Settings): Key {
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
        // of a key's own policy, the key is the only resource
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
  // EventBridge gives no account when it publishes to an encrypted topic
  use('events.amazonaws.com')
  return key
}
