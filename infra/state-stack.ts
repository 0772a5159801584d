import { CfnOutput, RemovalPolicy, Stack, type StackProps, Validations } from 'aws-cdk-lib'
import { AttributeType, Billing, ProjectionType, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager'
import type { Construct } from 'constructs'
import { JOURNAL } from '../app/journal/table.ts'
import { createKey } from './key.ts'
import { namesOf } from './names.ts'
import type { Settings } from './settings.ts'

/**
 * What all regions share and nobody may lose: the journal, and the secrets, which are made without a value, so that no
 * template ever holds one. A stack of its own: a person gives the secrets their values before anything else can start, and
 * a listener that does not start takes none of this back.
 */
export class StateStack extends Stack {
  /** Of the customer; undefined where AWS's keys are used. A replica could not use a key of this region. */
  readonly key: IKey | undefined

  constructor(scope: Construct, id: string, { settings, ...props }: StackProps & { settings: Settings }) {
    super(scope, id, { ...props, description: 'Journal and secrets of the Cloudinary listener' })
    const { name, regions, customerKey } = settings
    const names = namesOf(name)
    this.key = customerKey && regions.length === 1 ? createKey(this, settings) : undefined
    this.#createJournal(settings, names.journal)
    this.#createSecret('Cloudinary', names.secret, settings, 'cloudinary://KEY:SECRET@CLOUD')
    if (settings.forward) {
      this.#createSecret('Forward', names.forwardSecret, settings, 'whsec_ and 24 to 64 bytes in base64')
    }
    if (settings.database === 'secret') {
      this.#createSecret(
        'Database',
        names.databaseSecret,
        settings,
        'postgres://USER:PASSWORD@HOST:PORT/NAME'
      )
    }
  }

  #createJournal(settings: Settings, tableName: string): void {
    const { partitionKey, feedIndex, timeToLive } = JOURNAL
    const text = (name: string) => ({ name, type: AttributeType.STRING })
    new TableV2(this, 'Journal', {
      tableName,
      partitionKey: text(partitionKey),
      timeToLiveAttribute: timeToLive,
      billing: Billing.onDemand(),
      globalSecondaryIndexes: [
        {
          indexName: feedIndex.name,
          partitionKey: text(feedIndex.partitionKey),
          sortKey: text(feedIndex.sortKey),
          projectionType: ProjectionType.INCLUDE,
          nonKeyAttributes: [...feedIndex.attributes]
        }
      ],
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: settings.retainData,
      removalPolicy: settings.retainData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      replicas: settings.regions.slice(1).map((region) => ({ region })),
      encryption: this.key
        ? TableEncryptionV2.customerManagedKey(this.key)
        : TableEncryptionV2.dynamoOwnedKey()
    })
  }

  /** @param form what its value must look like */
  #createSecret(id: string, secretName: string, settings: Settings, form: string): void {
    const secret = new CfnSecret(this, id, {
      name: secretName,
      description: `its value: ${form}`,
      ...(this.key && { kmsKeyId: this.key.keyArn }),
      replicaRegions: settings.regions.slice(1).map((region) => ({ region }))
    })
    secret.applyRemovalPolicy(
      settings.retainData ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY
    )
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'The value belongs to another system (Cloudinary, the receiver, the database), which AWS cannot rotate. ' +
        'docs/operations.md has the rotation by hand, which loses no notification.'
    })
    new CfnOutput(this, `${id}Secret`, {
      description: `give the secret its value, ${form}`,
      value: `aws secretsmanager put-secret-value --region ${this.region} --secret-id ${secretName} --secret-string '…'`
    })
  }
}
