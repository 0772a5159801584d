import { VARIABLES } from '../app/config.ts'
import { namesOf } from './resource-names.ts'
import type { Settings } from './settings.ts'

export interface SecretDefinition {
  /** Logical id in the state stack. */
  id: string
  secretName: string
  /** Format of its value. */
  format: string
  /** Fields that its value, a JSON object, must have; undefined for a value that is read as a whole. */
  fields?: readonly string[]
}

/** Returns the secrets that the settings need. The state stack creates them without a value. */
export function secretsOf(settings: Settings): SecretDefinition[] {
  const { activityOidc, secretVariables } = settings
  const names = namesOf(settings.name)
  const definitions: [boolean, SecretDefinition][] = [
    [true, { id: 'Cloudinary', secretName: names.secret, format: 'cloudinary://KEY:SECRET@CLOUD' }],
    [
      settings.forward,
      { id: 'Forward', secretName: names.forwardSecret, format: 'whsec_ and 24 to 64 bytes in base64' }
    ],
    [
      settings.activity,
      {
        id: 'Activity',
        secretName: names.activitySecret,
        format: `password of the activity page: ${VARIABLES.ACTIVITY_PASSWORD.allowed}`
      }
    ],
    [
      settings.activityReadTokens,
      {
        id: 'ActivityTokens',
        secretName: names.activityTokensSecret,
        format: VARIABLES.ACTIVITY_READ_TOKENS.allowed
      }
    ],
    [
      !!activityOidc,
      {
        id: 'ActivityOidc',
        secretName: names.activityOidcSecret,
        format: `client secret of ${activityOidc?.issuer}`
      }
    ],
    [
      settings.database === 'secret',
      { id: 'Database', secretName: names.databaseSecret, format: 'postgres://USER:PASSWORD@HOST:PORT/NAME' }
    ],
    [
      secretVariables.length > 0,
      {
        id: 'Processors',
        secretName: names.processorsSecret,
        format: JSON.stringify(Object.fromEntries(secretVariables.map((variable) => [variable, '…']))),
        fields: secretVariables
      }
    ]
  ]
  return definitions.flatMap(([isNeeded, definition]) => (isNeeded ? [definition] : []))
}

/**
 * Returns the command that sets a secret's value. It reads the value from the terminal, so that neither the shell's
 * history nor the list of processes contains it.
 */
export const putSecretCommand = (region: string, secretName: string): string =>
  'read -rs VALUE && printf %s "$VALUE" | aws secretsmanager put-secret-value ' +
  `--region ${region} --secret-id ${secretName} --secret-string file:///dev/stdin`
