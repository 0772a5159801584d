import type { Test } from 'tap'
import type { Synthesis } from '../../support/templates.ts'
import { statementsOf } from './statements.ts'

const BUCKET = 'cloudinary-listener-archive-'

export function archive(t: Test, { plain, several, trial }: Record<string, Synthesis>) {
  t.test('archive has a private, encrypted bucket that is kept, and accepts only TLS', async (t) => {
    t.strictSame(plain!.state.all('S3::Bucket'), [])
    const kept = several!.state.one('S3::Bucket')
    t.match(kept.Properties, {
      BucketName: { 'Fn::Join': ['', [BUCKET, { Ref: 'AWS::AccountId' }]] },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }]
      },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true
      }
    })
    t.equal(kept.DeletionPolicy, 'Retain')
    t.match(several!.state.one('S3::BucketPolicy').Properties.PolicyDocument, {
      Statement: [{ Effect: 'Deny', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }]
    })
  })

  t.test('with a customer key in one region, the key encrypts it', async (t) => {
    const { Properties, DeletionPolicy } = trial!.state.one('S3::Bucket')
    t.match(Properties.BucketEncryption, {
      ServerSideEncryptionConfiguration: [
        { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } }
      ]
    })
    t.equal(DeletionPolicy, 'Delete')
  })

  t.test('worker may only store objects and send events; doctor may check both', async (t) => {
    const { listener } = several!
    const of = (role: string, service: string) =>
      statementsOf(listener, role).filter(({ Action }) => JSON.stringify(Action).includes(`"${service}:`))
    t.match(of('ServicesWorkerTaskTaskRole', 's3'), [{ Action: 's3:PutObject' }])
    t.match(JSON.stringify(of('ServicesWorkerTaskTaskRole', 's3')[0]?.Resource), `:s3:::${BUCKET}`)
    t.match(JSON.stringify(of('ServicesWorkerTaskTaskRole', 's3')[0]?.Resource), '/*"')
    t.match(of('ServicesWorkerTaskTaskRole', 'events'), [{ Action: 'events:PutEvents' }])
    t.match(JSON.stringify(of('ServicesWorkerTaskTaskRole', 'events')[0]?.Resource), ':event-bus/assets')
    t.match(of('ServicesOperatorTaskTaskRole', 's3'), [{ Action: 's3:ListBucket' }])
    t.match(of('ServicesOperatorTaskTaskRole', 'events'), [{ Action: 'events:DescribeEventBus' }])
    const without = statementsOf(plain!.listener, 'ServicesWorkerTaskTaskRole')
    t.notMatch(JSON.stringify(without), /"(?:s3|events):/)
  })

  t.test('worker and commands know bucket and bus', async (t) => {
    for (const role of ['Worker', 'Operator']) {
      const names = (synthesis: Synthesis) => JSON.stringify(synthesis.listener.container(role).Environment)
      t.match(names(several!), '"ARCHIVE_BUCKET"')
      t.match(names(several!), '{"Name":"EVENT_BUS","Value":"assets"}')
      t.notMatch(names(plain!), /ARCHIVE_BUCKET|EVENT_BUS/)
    }
  })
}
