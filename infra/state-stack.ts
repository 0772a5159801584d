import { CfnOutput, RemovalPolicy, Stack, type StackProps, Validations } from 'aws-cdk-lib'
import { AttributeType, Billing, ProjectionType, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager'
import type { Construct } from 'constructs'
import { VARIABLES } from '../app/config.ts'
import { JOURNAL, JOURNAL_INDEXES } from '../app/journal/journal-table.ts'
import { createCustomerKey } from './customer-key.ts'
import { namesOf } from './resource-names.ts'
import type { Settings } from './settings.ts'

interface SecretDefinition {
  id: string
  secretName: string
  /** Format of its value. */
  format: string
}

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
    const names = namesOf(name)
    this.key = customerKey && regions.length === 1 ? createCustomerKey(this, settings) : undefined
    const secrets = [
      { id: 'Cloudinary', secretName: names.secret, format: 'cloudinary://KEY:SECRET@CLOUD' },
      ...(settings.forward
        ? [{ id: 'Forward', secretName: names.forwardSecret, format: 'whsec_ and 24 to 64 bytes in base64' }]
        : []),
      ...(settings.activity
        ? [
            {
              id: 'Activity',
              secretName: names.activitySecret,
              format: `password of the activity page: ${VARIABLES.ACTIVITY_PASSWORD.allowed}`
            }
          ]
        : []),
      ...(settings.activityReadTokens
        ? [
            {
              id: 'ActivityTokens',
              secretName: names.activityTokensSecret,
              format: VARIABLES.ACTIVITY_READ_TOKENS.allowed
            }
          ]
        : []),
      ...(settings.activityOidc
        ? [
            {
              id: 'ActivityOidc',
              secretName: names.activityOidcSecret,
              format: `client secret of ${settings.activityOidc.issuer}`
            }
          ]
        : []),
      ...(settings.database === 'secret'
        ? [
            {
              id: 'Database',
              secretName: names.databaseSecret,
              format: 'postgres://USER:PASSWORD@HOST:PORT/NAME'
            }
          ]
        : []),
      ...(settings.secretVariables.length > 0
        ? [
            {
              id: 'Processors',
              secretName: names.processorsSecret,
              format: JSON.stringify(
                Object.fromEntries(settings.secretVariables.map((variable) => [variable, '…']))
              )
            }
          ]
        : [])
    ].map((secret) => this.#createSecret(settings, secret))
    // created last: if a secret's name is still taken, the stack is rolled back, and the retained journal
    // would stay
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
      description: `Sets the value of the secret: ${format}`,
      value: `aws secretsmanager put-secret-value --region ${this.region} --secret-id ${secretName} --secret-string '…'`
    })
    return secret
  }
}
