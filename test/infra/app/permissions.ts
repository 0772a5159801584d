import type { Test } from 'tap'
import type { Synthesis, Template } from '../../support/templates.ts'

interface Statement {
  Action: string | string[]
  Effect: string
  Condition?: unknown
  Resource: unknown
}

const listOf = <Item>(value: Item | Item[]): Item[] => (Array.isArray(value) ? value : [value])

/** Names a resource: the end of its ARN, or its logical id without CloudFormation's hash. */
function nameOf(resource: unknown): string {
  const text = JSON.stringify(resource)
  const id = /"(?:Fn::GetAtt":\["|Ref":")(?!AWS::)(\w+?)(?:[0-9A-F]{8})?"/.exec(text)?.[1]
  const end = /[:/]?((?:secret|table|repository|key|distribution)[:/][^"]*)"/.exec(text)?.[1]
  return id ?? end ?? String(resource)
}

/** The permissions of a role, one line per resource: `resource: actions`. */
function allowed(template: Template, role: string): string[] {
  const { id } = template.one('IAM::Role', role)
  return template
    .all('IAM::Policy')
    .filter(({ Properties }) => JSON.stringify(Properties.Roles) === JSON.stringify([{ Ref: id }]))
    .flatMap(
      ({ Properties }) => (Properties.PolicyDocument as unknown as { Statement: Statement[] }).Statement
    )
    .map(({ Action, Resource }) => `${listOf(Resource).map(nameOf).join(', ')}: ${listOf(Action).join(' ')}`)
    .sort()
}

const SECRET = 'secret:cloudinary-listener/cloudinary-??????: secretsmanager:GetSecretValue'
const JOURNAL = 'table/cloudinary-listener-journal'

export function permissions(t: Test, { plain, several, trial, sealed }: Record<string, Synthesis>) {
  t.test('each role has exactly the permissions that its code needs', async (t) => {
    const { listener } = plain!
    t.strictSame(allowed(listener, 'ServicesWebTaskTaskRole'), [
      'QueuesQueue: sqs:GetQueueAttributes sqs:SendMessage',
      SECRET,
      `${JOURNAL}: dynamodb:PutItem`
    ])
    t.strictSame(allowed(listener, 'ServicesWorkerTaskTaskRole'), [
      'QueuesDeadLetterQueue: sqs:GetQueueAttributes sqs:SendMessage',
      'QueuesQueue: sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage',
      SECRET,
      `${JOURNAL}: dynamodb:DeleteItem dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem`
    ])
    t.strictSame(allowed(listener, 'ServicesReconcileTaskTaskRole'), [
      'QueuesQueue: sqs:GetQueueAttributes sqs:SendMessage',
      SECRET,
      `${JOURNAL}/index/feed: dynamodb:Query`,
      `${JOURNAL}: dynamodb:BatchGetItem dynamodb:GetItem dynamodb:PutItem`
    ])
    const canary = allowed(several!.listener, 'ServicesCanaryTaskTaskRole')
    t.strictSame(
      canary.filter((line) => !line.includes('kms:')),
      [SECRET, `${JOURNAL}: dynamodb:GetItem`]
    )
    t.strictSame(allowed(listener, 'ServicesOperatorTaskTaskRole'), [
      'QueuesDeadLetterQueue: sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage',
      'QueuesQueue: sqs:GetQueueAttributes sqs:SendMessage',
      SECRET,
      `${JOURNAL}: dynamodb:DescribeTable dynamodb:DescribeTimeToLive dynamodb:GetItem`,
      // how far schedules have run
      `${JOURNAL}: dynamodb:GetItem dynamodb:PutItem`
    ])
    t.strictSame(allowed(several!.home, 'ServicesActivityTaskTaskRole'), [
      'Key: kms:Decrypt kms:GenerateDataKey',
      'QueuesDeadLetterQueue: sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage',
      'QueuesQueue: sqs:SendMessage',
      `${['feed', 'history', 'unfinished'].map((name) => `${JOURNAL}/index/${name}`).join(', ')}: dynamodb:Query`,
      `${JOURNAL}: dynamodb:BatchGetItem dynamodb:GetItem`,
      // the progress of repairs, and marks on dead events
      `${JOURNAL}: dynamodb:UpdateItem`,
      `${JOURNAL}: dynamodb:UpdateItem`
    ])
    t.strictSame(allowed(several!.home, 'ServicesPollTaskTaskRole'), [
      'Key: kms:Decrypt kms:GenerateDataKey',
      'QueuesQueue: sqs:SendMessage',
      SECRET,
      `${JOURNAL}: dynamodb:PutItem`
    ])
  })

  t.test('web and poll write no event, and activity none but marks on dead events', async (t) => {
    const keysOf = (template: Template, role: string, action = 'dynamodb:PutItem') => {
      const { id } = template.one('IAM::Role', role)
      return template
        .all('IAM::Policy')
        .filter(({ Properties }) => JSON.stringify(Properties.Roles) === JSON.stringify([{ Ref: id }]))
        .flatMap(
          ({ Properties }) => (Properties.PolicyDocument as unknown as { Statement: Statement[] }).Statement
        )
        .filter(({ Action }) => listOf(Action).includes(action))
        .map(({ Condition }) => Condition)
    }
    t.match(keysOf(plain!.listener, 'ServicesWebTaskTaskRole'), [
      {
        'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['minute#*', 'refused#*'] },
        Null: { 'dynamodb:LeadingKeys': ['false'] }
      }
    ])
    t.match(keysOf(several!.home, 'ServicesPollTaskTaskRole'), [
      { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['minute#*'] } }
    ])
    // the ledger of an event (run, processors, attempts) is not among the attributes
    t.strictSame(keysOf(several!.home, 'ServicesActivityTaskTaskRole', 'dynamodb:UpdateItem'), [
      {
        'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['repair#*'] },
        Null: { 'dynamodb:LeadingKeys': ['false'] }
      },
      {
        'ForAllValues:StringEquals': {
          'dynamodb:Attributes': ['id', 'expiresAt', 'unfinishedShard', 'status', 'attemptId', 'discarded']
        },
        Null: { 'dynamodb:Attributes': ['false'] }
      }
    ])
  })

  t.test('worker may publish to the topic of notify, and doctor may check that it exists', async (t) => {
    t.ok(allowed(several!.listener, 'ServicesWorkerTaskTaskRole').includes('Notify: sns:Publish'))
    t.ok(
      allowed(several!.listener, 'ServicesOperatorTaskTaskRole').includes('Notify: sns:GetTopicAttributes')
    )
    t.notMatch(allowed(plain!.listener, 'ServicesWorkerTaskTaskRole').join(), 'sns:')
  })

  t.test('worker may invalidate paths of the given distributions, and doctor may read them', async (t) => {
    const on = 'distribution/E123ABC: cloudfront:'
    const actionsOf = (role: string) =>
      allowed(several!.listener, role).filter((line) => line.includes('cloudfront:'))
    t.match(actionsOf('ServicesWorkerTaskTaskRole'), [`${on}CreateInvalidation`])
    t.match(actionsOf('ServicesOperatorTaskTaskRole'), [`${on}GetDistribution`])
    t.strictSame(actionsOf('ServicesWebTaskTaskRole'), [])
    t.notMatch(allowed(plain!.listener, 'ServicesWorkerTaskTaskRole').join(), 'cloudfront:')
  })

  t.test('ECS may pull the image, write logs and read the secrets that it passes on', async (t) => {
    const image = 'repository/: ecr:BatchCheckLayerAvailability ecr:BatchGetImage ecr:GetDownloadUrlForLayer'
    const common = (role: string) => [
      '*: ecr:GetAuthorizationToken',
      `Services${role}Log: logs:CreateLogStream logs:PutLogEvents`,
      image
    ]
    for (const role of ['Web', 'Worker', 'Operator', 'Reconcile']) {
      t.strictSame(allowed(plain!.listener, `Services${role}TaskExecutionRole`), common(role), role)
    }
    t.strictSame(
      allowed(several!.listener, 'ServicesWorkerTaskExecutionRole').filter((line) =>
        line.startsWith('secret')
      ),
      [
        'secret:cloudinary-listener/database-??????, secret:cloudinary-listener/forward-??????, ' +
          'secret:cloudinary-listener/processors-??????: ' +
          'secretsmanager:DescribeSecret secretsmanager:GetSecretValue'
      ]
    )
    t.strictSame(allowed(several!.listener, 'ServicesWebTaskExecutionRole'), common('Web'))
    t.strictSame(allowed(several!.listener, 'ServicesActivityTaskExecutionRole'), [
      ...common('Activity'),
      'secret:cloudinary-listener/activity-??????: secretsmanager:DescribeSecret secretsmanager:GetSecretValue'
    ])
  })

  t.test('the schedule may run its task and pass its two roles', async (t) => {
    t.strictSame(allowed(plain!.listener, 'SchedulerRole'), [
      'ServicesReconcileTask: ecs:RunTask',
      'ServicesReconcileTaskExecutionRole, ServicesReconcileTaskTaskRole: iam:PassRole'
    ])
  })

  t.test('there are no other IAM roles', async (t) => {
    const expected = ['Web', 'Worker', 'Operator', 'Reconcile']
      .flatMap((role) => [`Services${role}TaskTaskRole`, `Services${role}TaskExecutionRole`])
      .concat(['SchedulerRoleForTarget', 'NetworkVpcRejectedIAMRole', 'CustomVpcRestrictDefaultSG'])
    const roles = plain!.listener.all('IAM::Role')
    t.equal(roles.length, expected.length)
    for (const role of expected) t.ok(plain!.listener.one('IAM::Role', role))
    t.equal(plain!.state.all('IAM::Role').length, 0)
    t.strictSame(allowed(plain!.listener, 'NetworkVpcRejectedIAMRole'), [
      'NetworkFlowLog: logs:CreateLogStream logs:DescribeLogStreams logs:PutLogEvents'
    ])
    // the CDK's custom resource that empties the default security group
    t.match(
      JSON.stringify(plain!.listener.one('IAM::Role', 'CustomVpc').Properties.Policies),
      /security-group\//
    )
  })

  t.test('roles may use the customer key of the data that they access', async (t) => {
    const keys = (role: string) => allowed(trial!.listener, role).filter((line) => line.includes('kms:'))
    const table =
      'kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey kms:ReEncryptFrom kms:ReEncryptTo'
    for (const role of ['ServicesWebTaskTaskRole', 'ServicesWorkerTaskTaskRole'])
      t.match(keys(role), [/^Key: kms:Decrypt kms:GenerateDataKey$/, new RegExp(`: ${table}$`)])
    t.match(keys('ServicesReconcileTaskTaskRole').at(-1), new RegExp(`: ${table}$`))
  })

  t.test('no policy has a wildcard, except where AWS supports no resource', async (t) => {
    for (const { listener } of [plain!, several!, trial!, sealed!]) {
      const statements = listener
        .all('IAM::Policy')
        .flatMap(
          ({ Properties }) => (Properties.PolicyDocument as unknown as { Statement: Statement[] }).Statement
        )
      for (const { Action, Resource, Effect } of statements) {
        t.equal(Effect, 'Allow')
        for (const action of listOf(Action)) t.notMatch(action, /\*/)
        // the keys of objects contain their time
        if (JSON.stringify(Resource).includes('*'))
          t.match(Action, /^(?:ecr:GetAuthorizationToken|s3:PutObject)$/)
      }
    }
  })
}
