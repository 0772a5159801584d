import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient
} from '@aws-sdk/client-secrets-manager'
import { putSecretCommand, type SecretDefinition } from './secret-definitions.ts'

export type SecretProblemCode =
  /** The state stack has not created it. */
  | 'SECRET_MISSING'
  /** It has no value. */
  | 'SECRET_EMPTY'
  /** Its value lacks a field, or is not a JSON object. */
  | 'SECRET_FIELD_MISSING'
  /** AWS did not answer, or refused these credentials. */
  | 'SECRET_NOT_CHECKED'

export interface SecretProblem {
  code: SecretProblemCode
  secretName: string
  /** Says what to do. */
  message: string
}

/**
 * Returns the secrets without which a task would not start, so that CloudFormation would roll the deployment
 * back. Reads only whether there is a value, and the value itself only for its fields.
 *
 * @param client of the region that has the secrets
 */
export async function checkSecrets(
  client: SecretsManagerClient,
  secrets: readonly SecretDefinition[]
): Promise<SecretProblem[]> {
  const region = await client.config.region()
  const found = await Promise.all(secrets.map((secret) => check(client, region, secret)))
  return found.flat()
}

/** Checks the secrets of a region with the credentials of the AWS CLI. */
export async function checkSecretsIn(
  region: string,
  secrets: readonly SecretDefinition[]
): Promise<SecretProblem[]> {
  const client = new SecretsManagerClient({ region })
  try {
    return await checkSecrets(client, secrets)
  } finally {
    client.destroy()
  }
}

async function check(
  client: SecretsManagerClient,
  region: string,
  { secretName, format, fields }: SecretDefinition
): Promise<SecretProblem[]> {
  const setIt = `Set it to ${format}: ${putSecretCommand(region, secretName)}`
  const problem = (code: SecretProblemCode, message: string): SecretProblem[] => [
    { code, secretName, message }
  ]
  try {
    const { VersionIdsToStages } = await client.send(new DescribeSecretCommand({ SecretId: secretName }))
    const stages = Object.values(VersionIdsToStages ?? {}).flat()
    if (!stages.includes('AWSCURRENT')) return problem('SECRET_EMPTY', setIt)
    if (!fields) return []
    const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: secretName }))
    const missing = missingFields(SecretString, fields)
    return missing.length > 0
      ? problem('SECRET_FIELD_MISSING', `Add ${missing.join(', ')} to its JSON. ${setIt}`)
      : []
  } catch (err) {
    const { name, message } = err as Error
    return name === 'ResourceNotFoundException'
      ? problem('SECRET_MISSING', `Create it: npm run deploy:state. ${setIt}`)
      : problem(
          'SECRET_NOT_CHECKED',
          `${name}: ${message}. Use credentials that may describe the secret${fields ? ' and get its value' : ''} in ${region}.`
        )
  }
}

/** Returns the fields that a value lacks. ECS passes a field only if it is a string. */
function missingFields(text: string, fields: readonly string[]): string[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return [...fields]
  }
  const isText = (field: string) =>
    typeof (value as Record<string, unknown> | null)?.[field] === 'string' &&
    Object.hasOwn(value as object, field)
  return fields.filter((field) => !isText(field))
}
