import { ArnFormat, Stack } from 'aws-cdk-lib'
import { Secret as EcsSecret } from 'aws-cdk-lib/aws-ecs'
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import type { Construct } from 'constructs'
import { namesOf, secretArn } from './resource-names.ts'
import type { Settings } from './settings.ts'

/** Environment variables whose values ECS reads from Secrets Manager. */
export type ContainerSecrets = Record<string, EcsSecret>

/**
 * Returns the environment variables that ECS reads from the secrets of the state stack, when a task starts.
 *
 * @param key customer key of those secrets; undefined with AWS's own
 */
export function containerSecrets(
  stack: Stack,
  settings: Settings,
  key: IKey | undefined
): Record<'processors' | 'activity', ContainerSecrets> {
  const { forward, activity, activityReadTokens, database, secretVariables } = settings
  const names = namesOf(settings.name)
  const whole = (id: string, secretName: string) => containerSecret(stack, id, secretName, key)
  const fields = (): ContainerSecrets =>
    Object.fromEntries(
      secretVariables.map((variable) => [
        variable,
        containerSecret(stack, `ProcessorsSecret${variable}`, names.processorsSecret, key, variable)
      ])
    )
  return {
    processors: {
      ...fields(),
      ...(forward && { FORWARD_SECRET: whole('ForwardSecret', names.forwardSecret) }),
      ...(database === 'secret' && { DATABASE_URL: whole('DatabaseSecret', names.databaseSecret) })
    },
    activity: {
      ...(activity && { ACTIVITY_PASSWORD: whole('ActivitySecret', names.activitySecret) }),
      ...(activityReadTokens && {
        ACTIVITY_READ_TOKENS: whole('ActivityTokensSecret', names.activityTokensSecret)
      })
    }
  }
}

function containerSecret(
  scope: Construct,
  id: string,
  secretName: string,
  key: IKey | undefined,
  field?: string
): EcsSecret {
  const stack = Stack.of(scope)
  const secretPartialArn = stack.formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: secretName,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME
  })
  const secret = EcsSecret.fromSecretsManager(
    Secret.fromSecretAttributes(scope, id, { secretPartialArn }),
    field
  )
  if (!key) return secret
  return {
    arn: secret.arn,
    ...(secret.hasField !== undefined && { hasField: secret.hasField }),
    grantRead(grantee) {
      allowDecryption(stack, grantee, key, secretName)
      return secret.grantRead(grantee)
    }
  }
}

/**
 * The CDK grants decryption only in the key's policy, which another stack has: for an imported key it grants
 * nothing, and says nothing (https://github.com/aws/aws-cdk/issues/10160).
 */
function allowDecryption(stack: Stack, grantee: IGrantable, key: IKey, secretName: string): void {
  grantee.grantPrincipal.addToPrincipalPolicy(
    new PolicyStatement({
      actions: ['kms:Decrypt'],
      resources: [key.keyArn],
      conditions: {
        StringEquals: { 'kms:ViaService': `secretsmanager.${stack.region}.amazonaws.com` },
        StringLike: { 'kms:EncryptionContext:SecretARN': secretArn(stack, secretName) }
      }
    })
  )
}
