import { CfnOutput, RemovalPolicy, Stack, type StackProps, Validations } from 'aws-cdk-lib'
import { AttributeType, Billing, ProjectionType, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager'
import type { Construct } from 'constructs'
import { JOURNAL, JOURNAL_INDEXES } from '../app/journal/journal-table.ts'
import { createArchiveBucket } from './archive-bucket.ts'
import { createCustomerKey } from './customer-key.ts'
import { namesOf } from './resource-names.ts'
import { putSecretCommand, type SecretDefinition, secretsOf } from './secret-definitions.ts'
import type { Settings } from './settings.ts'

/**
 * The state that all regions share: the journal and the secrets. Secrets are created without a value, so no
 * template contains one. They are in a stack of their own because a person must set the values before the
 * roles can start, and because the rollback of a listener that does not start must not delete them.
 */
export class StateStack extends Stack {
  /**
   * Customer key; undefined with keys of AWS. Not used with several regions: a replica cannot use another
   * region's key.
   */
  readonly key: IKey | undefined

  constructor(scope: Construct, id: string, { settings, ...props }: StackProps & { settings: Settings }) {
    super(scope, id, { ...props, description: 'Journal and secrets of the Cloudinary listener' })
    const { name, regions, customerKey } = settings
    this.key = customerKey && regions.length === 1 ? createCustomerKey(this, settings) : undefined
    const secrets = secretsOf(settings).map((secret) => this.#createSecret(settings, secret))
    if (settings.archive) createArchiveBucket(this, settings, this.key)
    // created last: if a secret's name is still taken, the stack is rolled back, and the retained journal
    // would stay
    this.#createJournal(settings, namesOf(name).journal).node.addDependency(...secrets)
  }

  #createJournal(settings: Settings, tableName: string): TableV2 {
    const { partitionKey, timeToLive } = JOURNAL
    const text = (name: string) => ({ name, type: AttributeType.STRING })
    return new TableV2(this, 'Journal', {
      tableName,
      partitionKey: text(partitionKey),
      timeToLiveAttribute: timeToLive,
      billing: Billing.onDemand(),
      // CloudFormation can add only one index per update, so existing tables get them one by one
      globalSecondaryIndexes: JOURNAL_INDEXES.slice(0, settings.journalIndexes).map((index) => ({
        indexName: index.name,
        partitionKey: text(index.partitionKey),
        sortKey: text(index.sortKey),
        ...(index.attributes.length === 0
          ? { projectionType: ProjectionType.KEYS_ONLY }
          : { projectionType: ProjectionType.INCLUDE, nonKeyAttributes: [...index.attributes] })
      })),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: settings.retainData,
      removalPolicy: settings.retainData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      replicas: settings.regions.slice(1).map((region) => ({ region })),
      encryption: this.key
        ? TableEncryptionV2.customerManagedKey(this.key)
        : TableEncryptionV2.dynamoOwnedKey()
    })
  }

  #createSecret(settings: Settings, { id, secretName, format }: SecretDefinition): CfnSecret {
    const secret = new CfnSecret(this, id, {
      name: secretName,
      description: `Value: ${format}`,
      ...(this.key && { kmsKeyId: this.key.keyArn }),
      // AWS rejects an empty list
      ...(settings.regions.length > 1 && {
        replicaRegions: settings.regions.slice(1).map((region) => ({ region }))
      })
    })
    secret.applyRemovalPolicy(
      settings.retainData ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY
    )
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'The value belongs to people or another system (Cloudinary, the receiver, the database), so AWS cannot rotate it. ' +
        'docs/operations.md describes how to rotate it by hand without losing a notification.'
    })
    new CfnOutput(this, `${id}Secret`, {
      description: `Sets the value of the secret, which you paste after it: ${format}`,
      value: putSecretCommand(this.region, secretName)
    })
    return secret
  }
}
