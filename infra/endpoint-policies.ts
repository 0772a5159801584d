import { Stack } from 'aws-cdk-lib'
import { AnyPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { Construct } from 'constructs'

/** A service behind a VPC endpoint, by the prefix of its actions. */
export type EndpointService = 'sqs' | 'secretsmanager' | 'ecr' | 'logs' | 'dynamodb' | 's3'

/** Services whose endpoints reach only resources of this account. */
const OWN_RESOURCES: readonly EndpointService[] = ['sqs', 'secretsmanager', 'dynamodb']

/**
 * Returns the policy of a VPC endpoint: only identities of this account, so that nobody sends data through it to an
 * account of theirs. What a role may do is in its own policies.
 * Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
 */
export function endpointPolicy(scope: Construct, service: EndpointService): PolicyStatement[] {
  const { account, region, partition } = Stack.of(scope)
  const anyone = [new AnyPrincipal()]
  return [
    new PolicyStatement({
      principals: anyone,
      actions: [`${service}:*`],
      resources: ['*'],
      conditions: {
        StringEquals: {
          'aws:PrincipalAccount': account,
          ...(OWN_RESOURCES.includes(service) && { 'aws:ResourceAccount': account })
        }
      }
    }),
    // the layers of images are in a bucket of ECR, which signs the requests for them
    ...(service === 's3'
      ? [
          new PolicyStatement({
            principals: anyone,
            actions: ['s3:GetObject'],
            resources: [`arn:${partition}:s3:::prod-${region}-starport-layer-bucket/*`]
          })
        ]
      : [])
  ]
}
