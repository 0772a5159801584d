import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Test } from 'tap'
import { deployPolicy, SERVICE_LINKED } from '../../../infra/deploy-policy.ts'
import type { Synthesis } from '../../support/templates.ts'

/** Prefixes of IAM, by the service in the types of CloudFormation, where they differ. */
const PREFIXES: Record<string, string> = {
  ApplicationAutoScaling: 'application-autoscaling',
  CertificateManager: 'acm',
  ElasticLoadBalancingV2: 'elasticloadbalancing'
}

export function bootstrap(t: Test, all: Record<string, Synthesis>) {
  const { Statement } = deployPolicy('cloudinary-listener')
  const actions = Statement.flatMap(({ Action }) => Action)

  t.test(
    'the role of CloudFormation may create every resource of the stacks, and is no administrator',
    async (t) => {
      const types = new Set(
        Object.values(all)
          .flatMap(({ state, listeners }) => [state, ...Object.values(listeners)])
          .flatMap(({ resources }) => resources.map(({ Type }) => Type))
          .filter((type) => type.startsWith('AWS::'))
      )
      t.ok(types.size > 40)
      for (const type of types) {
        const [, service = ''] = type.split('::')
        const prefix = PREFIXES[service] ?? service.toLowerCase()
        t.ok(
          actions.some((action) => action.startsWith(`${prefix}:`)),
          type
        )
      }
      for (const { Sid, Action, Resource, Condition } of Statement) {
        for (const action of Action) {
          t.notMatch(action, /^\*|^iam:\*|^sts:|^organizations:/, Sid)
          if (action.startsWith('iam:')) t.notSame(Resource, '*', action)
        }
        if (Action.includes('iam:PassRole'))
          t.match(Condition, { StringEquals: { 'iam:PassedToService': [] } })
      }
      t.ok(JSON.stringify(deployPolicy('a'.repeat(31))).length <= 6144, 'the maximum of IAM')
    }
  )

  t.test('roles, queues, topics, tables and secrets have names that the policy covers', async (t) => {
    const resources = Statement.flatMap(({ Resource }) => Resource)
    const isCovered = (arn: string) =>
      resources.some(
        (pattern) => new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(arn) && pattern !== '*'
      )
    const named: [type: string, name: string, arn: (name: string) => string][] = [
      ['SQS::Queue', 'QueueName', (name) => `arn:aws:sqs:us-east-1:1:${name}`],
      ['SNS::Topic', 'TopicName', (name) => `arn:aws:sns:us-east-1:1:${name}`],
      ['DynamoDB::GlobalTable', 'TableName', (name) => `arn:aws:dynamodb:us-east-1:1:table/${name}`]
    ]
    for (const { state, listeners } of Object.values(all)) {
      for (const template of [state, ...Object.values(listeners)]) {
        for (const [type, property, arn] of named) {
          for (const { Properties } of template.all(type))
            t.ok(isCovered(arn(String(Properties[property]))), type)
        }
        for (const { id, Properties } of template.all('SecretsManager::Secret')) {
          const name = String(Properties.Name ?? id)
          t.ok(isCovered(`arn:aws:secretsmanager:us-east-1:1:secret:${name}-AbCdEf`), name)
        }
        for (const { Properties } of template.all('IAM::Role')) t.equal(Properties.RoleName, undefined)
      }
    }
    t.ok(isCovered('arn:aws:iam::1:role/cloudinary-listener-us-e-ServicesWebTaskTaskRole0706-1A2B'))
  })

  t.test('bootstrap creates the role that ECS needs first, and names the policy', async (t) => {
    const run = (exists: boolean) => {
      const directory = t.testdir({
        aws: `#!/bin/bash\necho "aws $*" >> "$CALLS"\ncase "$*" in *caller-identity*) echo arn:aws-cn:iam::111111111111:user/me;;\n*get-role*|*get-policy*) exit ${exists ? 0 : 1};;\n*list-policy-versions*) echo v1 v2;; esac`,
        cdk: '#!/bin/bash\necho "cdk $*" >> "$CALLS"'
      })
      spawnSync('chmod', ['+x', join(directory, 'aws'), join(directory, 'cdk')])
      const { status, stderr } = spawnSync('bash', ['infra/bootstrap.sh', '111111111111', 'eu-west-1'], {
        encoding: 'utf8',
        env: { PATH: [directory, process.env.PATH].join(delimiter), CALLS: join(directory, 'calls') }
      })
      t.equal(status, 0, stderr)
      return readFileSync(join(directory, 'calls'), 'utf8').trim().split('\n')
    }
    const first = run(false)
    const calls = (lines: string[]) => lines.map((line) => line.split(' ').slice(0, 3).join(' '))
    t.strictSame(calls(first), [
      'aws sts get-caller-identity',
      'aws iam get-role',
      'aws iam create-service-linked-role',
      'aws iam get-policy',
      'aws iam create-policy',
      'cdk bootstrap aws://111111111111/eu-west-1',
      'aws ecr put-image-scanning-configuration'
    ])
    t.match(first[2], 'ecs.amazonaws.com')
    t.match(
      first[5],
      '--cloudformation-execution-policies arn:aws-cn:iam::111111111111:policy/cloudinary-listener-deploy'
    )
    t.match(first[6], 'cdk-hnb659fds-container-assets-111111111111-eu-west-1')
    t.match(first[6], 'scanOnPush=true')
    const document = JSON.parse(/--policy-document (\{.*\})/.exec(first[4]!)![1]!)
    t.strictSame(document, deployPolicy('cloudinary-listener'))
    t.strictSame(calls(run(true)), [
      'aws sts get-caller-identity',
      'aws iam get-role',
      'aws iam get-policy',
      'aws iam list-policy-versions',
      'aws iam delete-policy-version',
      'aws iam delete-policy-version',
      'aws iam create-policy-version',
      'cdk bootstrap aws://111111111111/eu-west-1',
      'aws ecr put-image-scanning-configuration'
    ])
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      scripts: Record<string, string>
    }
    t.equal(scripts.bootstrap, 'bash infra/bootstrap.sh')
    t.ok(SERVICE_LINKED.includes('ecs'))
  })
  t.test('bootstrap refuses missing arguments, and credentials of another account', async (t) => {
    const aws = `#!/bin/bash\n[ $1 = sts ] && echo arn:aws:sts::222222222222:assumed-role/admin/me || exit 9`
    const directory = t.testdir({ aws })
    spawnSync('chmod', ['+x', join(directory, 'aws')])
    const bootstrap = (...args: string[]) =>
      spawnSync('bash', ['infra/bootstrap.sh', ...args], {
        encoding: 'utf8',
        env: { PATH: [directory, process.env.PATH].join(delimiter) }
      })
    t.match(bootstrap(), { status: /^[^0]/, stderr: 'usage: npm run bootstrap -- ACCOUNT REGION [NAME]' })
    t.match(bootstrap('111111111111', 'eu-west-1'), {
      status: 1,
      stderr: 'The credentials are of account 222222222222, not 111111111111'
    })
  })
}
