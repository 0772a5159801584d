import type { Test } from 'tap'
import { JOURNAL, journalTableInput } from '../../../app/journal/journal-table.ts'
import type { Synthesis } from '../../support/templates.ts'

export function state(t: Test, { plain, several, trial, bespoke }: Record<string, Synthesis>) {
  t.test('both queues are high-throughput FIFO, encrypted, and keep messages for 14 days', async (t) => {
    for (const queue of ['QueuesQueueD', 'QueuesDeadLetterQueue8']) {
      t.match(plain!.listener.one('SQS::Queue', queue).Properties, {
        FifoQueue: true,
        FifoThroughputLimit: 'perMessageGroupId',
        DeduplicationScope: 'messageGroup',
        MessageRetentionPeriod: 1_209_600,
        SqsManagedSseEnabled: true,
        QueueName: /\.fifo$/
      })
    }
    t.match(plain!.listener.one('SQS::Queue', 'QueuesQueueD').Properties.RedrivePolicy, {
      maxReceiveCount: 1000,
      deadLetterTargetArn: { 'Fn::GetAtt': [/^QueuesDeadLetterQueue/, 'Arn'] }
    })
  })

  t.test('queues and topics accept only TLS', async (t) => {
    const policies = ['SQS::QueuePolicy', 'SNS::TopicPolicy'].flatMap((type) => several!.listener.all(type))
    t.equal(policies.length, 4)
    for (const { id, Properties } of policies) {
      t.match(
        Properties.PolicyDocument,
        { Statement: [{ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }] },
        id
      )
    }
  })

  t.test('the journal has the schema that the listener uses', async (t) => {
    const expected = journalTableInput('cloudinary-listener-journal')
    const { Properties, DeletionPolicy } = plain!.state.one('DynamoDB::GlobalTable')
    t.match(Properties, {
      TableName: expected.TableName,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: expected.KeySchema,
      GlobalSecondaryIndexes: expected.GlobalSecondaryIndexes,
      TimeToLiveSpecification: { AttributeName: JOURNAL.timeToLive, Enabled: true },
      Replicas: [
        {
          Region: 'us-east-1',
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          DeletionProtectionEnabled: true
        }
      ]
    })
    t.equal(DeletionPolicy, 'Retain')
  })

  t.test('each region has a protected replica of the journal', async (t) => {
    t.match(several!.state.one('DynamoDB::GlobalTable').Properties.Replicas, [
      {
        Region: 'eu-west-1',
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        DeletionProtectionEnabled: true
      },
      { Region: 'us-east-1' }
    ])
  })

  t.test('secrets are created without a value, describe its format, and are replicated', async (t) => {
    const secrets = several!.state.all('SecretsManager::Secret')
    t.match(
      secrets.map(({ Properties }) => [Properties.Name, Properties.Description]),
      [
        ['cloudinary-listener/cloudinary', /cloudinary:\/\/KEY:SECRET@CLOUD/],
        ['cloudinary-listener/forward', /whsec_/],
        ['cloudinary-listener/activity', /12 to 256 printable characters/],
        ['cloudinary-listener/database', /postgres:\/\//]
      ]
    )
    for (const { Properties } of secrets) {
      t.notOk(Properties.SecretString ?? Properties.GenerateSecretString)
      t.match(Properties.ReplicaRegions, [{ Region: 'eu-west-1' }])
    }
    t.equal(plain!.state.all('SecretsManager::Secret').length, 1, 'only those in use')
    t.notOk(
      'ReplicaRegions' in plain!.state.one('SecretsManager::Secret').Properties,
      'AWS rejects an empty list'
    )
    t.strictSame(
      [...(several!.state.one('DynamoDB::GlobalTable').DependsOn ?? [])].sort(),
      secrets.map(({ id }) => id).sort(),
      'created last: a rolled back stack leaves no journal behind'
    )
    t.match(plain!.state.outputs.CloudinarySecret, {
      Value:
        /^read -rs VALUE .* --region us-east-1 --secret-id cloudinary-listener\/cloudinary .*file:\/\/\/dev\/stdin$/
    })
  })

  t.test('resources with data stay when a stack is deleted, except in a trial', async (t) => {
    const kept = ['SQS::Queue', 'Logs::LogGroup']
    for (const type of kept) {
      for (const { id, DeletionPolicy } of plain!.listener.all(type)) {
        t.equal(DeletionPolicy, 'RetainExceptOnCreate', id)
      }
      for (const { id, DeletionPolicy } of trial!.listener.all(type)) t.equal(DeletionPolicy, 'Delete', id)
    }
    t.equal(plain!.listener.one('S3::Bucket').DeletionPolicy, 'Retain')
    t.equal(trial!.listener.one('S3::Bucket').DeletionPolicy, 'Delete')
    t.equal(bespoke!.listener.one('RDS::DBCluster').DeletionPolicy, 'Snapshot')
    t.equal(plain!.state.one('SecretsManager::Secret').DeletionPolicy, 'RetainExceptOnCreate')
    const { Properties, DeletionPolicy } = trial!.state.one('DynamoDB::GlobalTable')
    t.equal(DeletionPolicy, 'Delete')
    t.match(Properties.Replicas, [{ DeletionProtectionEnabled: false }])
  })

  t.test('a customer key encrypts all resources with data, and is rotated', async (t) => {
    const { state, listener } = trial!
    for (const template of [state, listener])
      t.match(template.one('KMS::Key').Properties, { EnableKeyRotation: true })
    const ownKey = { 'Fn::GetAtt': [/^Key/, 'Arn'] }
    t.match(state.one('DynamoDB::GlobalTable').Properties.SSESpecification, {
      SSEEnabled: true,
      SSEType: 'KMS'
    })
    t.match(state.one('SecretsManager::Secret', 'Cloudinary').Properties.KmsKeyId, ownKey)
    for (const { Properties } of listener.all('SQS::Queue')) t.match(Properties.KmsMasterKeyId, ownKey)
    for (const { Properties } of listener.all('SNS::Topic')) t.match(Properties.KmsMasterKeyId, ownKey)
    for (const { id, Properties } of listener.all('Logs::LogGroup')) t.match(Properties.KmsKeyId, ownKey, id)
    t.match(listener.one('RDS::DBCluster').Properties, { KmsKeyId: ownKey, StorageEncrypted: true })
  })

  t.test('only workers can connect to Aurora, and its backups are kept for two weeks', async (t) => {
    const { listener } = trial!
    t.match(listener.one('RDS::DBCluster').Properties, {
      Engine: 'aurora-postgresql',
      BackupRetentionPeriod: 14,
      EnableIAMDatabaseAuthentication: true,
      ServerlessV2ScalingConfiguration: { MinCapacity: 0.5, MaxCapacity: 4 }
    })
    t.match(
      listener
        .all('EC2::SecurityGroupIngress')
        .filter(({ Properties }) => JSON.stringify(Properties.GroupId).includes('DatabaseCluster'))
        .map(({ Properties }) => Properties),
      [{ SourceSecurityGroupId: { 'Fn::GetAtt': [/^NetworkWorkerGroup/, 'GroupId'] } }]
    )
    t.equal(plain!.listener.all('RDS::DBCluster').length, 0)
  })
}
