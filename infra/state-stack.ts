import { CfnOutput, RemovalPolicy, Stack, type StackProps, Validations } from 'aws-cdk-lib'
import { AttributeType, Billing, ProjectionType, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager'
import type { Construct } from 'constructs'
import { JOURNAL, JOURNAL_INDEXES } from '../app/journal/journal-table.ts'
import { createKey } from './key.ts'
import { namesOf } from './names.ts'
import type { Settings } from './settings.ts'

interface SecretToFill {
  id: string
  secretName: string
  /** What its value must look like. */
  form: string
}

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
    const secrets = [
      { id: 'Cloudinary', secretName: names.secret, form: 'cloudinary://KEY:SECRET@CLOUD' },
      ...(settings.forward
        ? [{ id: 'Forward', secretName: names.forwardSecret, form: 'whsec_ and 24 to 64 bytes in base64' }]
        : []),
      ...(settings.database === 'secret'
        ? [
            {
              id: 'Database',
              secretName: names.databaseSecret,
              form: 'postgres://USER:PASSWORD@HOST:PORT/NAME'
            }
          ]
        : []),
      ...(settings.secretVariables.length > 0
        ? [
            {
              id: 'Processors',
              secretName: names.processorsSecret,
              form: JSON.stringify(
                Object.fromEntries(settings.secretVariables.map((variable) => [variable, '…']))
              )
            }
          ]
        : [])
    ].map((secret) => this.#createSecret(settings, secret))
    // last: a secret whose name is taken still would have the stack taken back, and the journal stay, with its name
    this.#createJournal(settings, names.journal).node.addDependency(...secrets)
  }

  #createJournal(settings: Settings, tableName: string): TableV2 {
    const { partitionKey, timeToLive } = JOURNAL
    const text = (name: string) => ({ name, type: AttributeType.STRING })
    return new TableV2(this, 'Journal', {
      tableName,
      partitionKey: text(partitionKey),
      timeToLiveAttribute: timeToLive,
      billing: Billing.onDemand(),
      // CloudFormation adds one index in an update, so an older table gets them one by one
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

  #createSecret(settings: Settings, { id, secretName, form }: SecretToFill): CfnSecret {
    const secret = new CfnSecret(this, id, {
      name: secretName,
      description: `its value: ${form}`,
      ...(this.key && { kmsKeyId: this.key.keyArn }),
      // AWS refuses an empty list
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
        'The value belongs to another system (Cloudinary, the receiver, the database), which AWS cannot rotate. ' +
        'docs/operations.md has the rotation by hand, which loses no notification.'
    })
    new CfnOutput(this, `${id}Secret`, {
      description: `give the secret its value, ${form}`,
      value: `aws secretsmanager put-secret-value --region ${this.region} --secret-id ${secretName} --secret-string '…'`
    })
    return secret
  }
}
