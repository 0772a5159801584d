/**
 * Prints the IAM policy of the role with which CloudFormation deploys, instead of AdministratorAccess:
 * `node infra/deploy-policy.ts NAME`. infra/bootstrap.sh creates it.
 */

interface Statement {
  Sid: string
  Effect: 'Allow'
  Action: string[]
  Resource: string | string[]
  Condition?: Record<string, Record<string, string | string[]>>
}

export interface PolicyDocument {
  Version: '2012-10-17'
  Statement: Statement[]
}

/** Services whose resources have generated names, or none. */
const SERVICES = [
  'acm',
  'application-autoscaling',
  'cloudwatch',
  'ec2',
  'ecs',
  'elasticloadbalancing',
  'events',
  'kms',
  'logs',
  'rds',
  'route53',
  'scheduler',
  'wafv2'
]

/** Services that roles of the stacks are for; auto scaling gets its service-linked role. */
const ROLE_SERVICES = [
  'application-autoscaling',
  'ecs-tasks',
  'ecs.application-autoscaling',
  'lambda',
  'scheduler',
  'vpc-flow-logs'
]

/** Services that create their service-linked role with the first resource in an account. */
export const SERVICE_LINKED = [
  'ecs',
  'ecs.application-autoscaling',
  'elasticloadbalancing',
  'rds',
  'replication.dynamodb',
  'wafv2'
]

/** Returns the policy for a deployment with the setting `name`. */
export function deployPolicy(name: string): PolicyDocument {
  // CloudFormation shortens the name of a stack in the names of roles
  const roles = `arn:*:iam::*:role/${name.slice(0, 20)}*`
  const generated = name.replaceAll('-', '')
  const service = (domain: string) => `${domain}.amazonaws.com`
  const allow = (Sid: string, Action: string[], Resource: string | string[]): Statement => ({
    Sid,
    Effect: 'Allow',
    Action,
    Resource
  })
  return {
    Version: '2012-10-17',
    Statement: [
      allow(
        'Services',
        SERVICES.map((prefix) => `${prefix}:*`),
        '*'
      ),
      allow(
        'Named',
        ['dynamodb:*', 'lambda:*', 'sns:*', 'sqs:*'],
        [
          `arn:*:dynamodb:*:*:table/${name}-*`,
          `arn:*:lambda:*:*:function:${name.slice(0, 20)}*`,
          `arn:*:sns:*:*:${name}-*`,
          `arn:*:sqs:*:*:${name}-*`
        ]
      ),
      allow(
        'SecretsManager',
        ['secretsmanager:*'],
        [
          `arn:*:secretsmanager:*:*:secret:${name}/*`,
          // the secret with the password of Aurora
          `arn:*:secretsmanager:*:*:secret:${generated.slice(0, 20)}*`
        ]
      ),
      allow('Passwords', ['secretsmanager:GetRandomPassword'], '*'),
      allow('AccessLogs', ['s3:*'], `arn:*:s3:::${name.slice(0, 20)}*`),
      allow('Assets', ['s3:GetObject*', 's3:ListBucket'], 'arn:*:s3:::cdk-*-assets-*'),
      allow('BootstrapVersion', ['ssm:GetParameters'], 'arn:*:ssm:*:*:parameter/cdk-bootstrap/*'),
      allow(
        'Roles',
        [
          'iam:CreateRole',
          'iam:DeleteRole',
          'iam:DeleteRolePolicy',
          'iam:GetRole',
          'iam:GetRolePolicy',
          'iam:ListAttachedRolePolicies',
          'iam:ListRolePolicies',
          'iam:PutRolePolicy',
          'iam:TagRole',
          'iam:UntagRole',
          'iam:UpdateAssumeRolePolicy',
          'iam:UpdateRole'
        ],
        roles
      ),
      {
        ...allow(
          'PassRoles',
          ['iam:PassRole'],
          [roles, 'arn:*:iam::*:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/*']
        ),
        Condition: { StringEquals: { 'iam:PassedToService': ROLE_SERVICES.map(service) } }
      },
      {
        ...allow('LambdaLogs', ['iam:AttachRolePolicy', 'iam:DetachRolePolicy'], roles),
        Condition: {
          ArnLike: { 'iam:PolicyARN': 'arn:*:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole' }
        }
      },
      {
        ...allow(
          'ServiceLinkedRoles',
          ['iam:CreateServiceLinkedRole'],
          'arn:*:iam::*:role/aws-service-role/*'
        ),
        Condition: { StringEquals: { 'iam:AWSServiceName': SERVICE_LINKED.map(service) } }
      }
    ]
  }
}

const [, program, name = 'cloudinary-listener'] = process.argv
if (program === import.meta.filename) console.log(JSON.stringify(deployPolicy(name)))
