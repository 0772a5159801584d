import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3'
import type { Construct } from 'constructs'
import { namesOf } from './resource-names.ts'
import type { Settings } from './settings.ts'

/** Creates the bucket of the processor `archive`: encrypted, private, only by TLS, and kept with the other data. */
export function createArchiveBucket(scope: Construct, settings: Settings, key: IKey | undefined): Bucket {
  const bucket = new Bucket(scope, 'Archive', {
    bucketName: namesOf(settings.name).archiveBucket(Stack.of(scope).account),
    enforceSSL: true,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    ...(key
      ? { encryption: BucketEncryption.KMS, encryptionKey: key, bucketKeyEnabled: true }
      : { encryption: BucketEncryption.S3_MANAGED }),
    // with DESTROY, CloudFormation can delete the bucket only when it is empty
    removalPolicy: settings.retainData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY
  })
  Validations.of(bucket).acknowledge({
    id: 'AwsSolutions-S1',
    reason:
      'Access logs would need a second bucket. CloudTrail data events record who reads the archive, where that is required.'
  })
  return bucket
}
