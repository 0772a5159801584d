import type { Test } from 'tap'
import type { Resource, Synthesis } from '../../support/templates.ts'

interface Statement {
  Action: string | string[]
  Resource: unknown
  Principal?: unknown
}

const statementsOf = ({ Properties }: Resource, name: string) =>
  (Properties[name] as unknown as { Statement: Statement[] }).Statement

const decrypts = ({ Action }: Statement) => [Action].flat().includes('kms:Decrypt')

/** Returns the keys that a role may decrypt with: by its own policies, or by the policy of a key. */
function keysOf({ listener }: Synthesis, role: string): string[] {
  const own = listener
    .all('IAM::Policy')
    .filter(({ Properties }) => JSON.stringify(Properties.Roles) === JSON.stringify([{ Ref: role }]))
    .flatMap((policy) => statementsOf(policy, 'PolicyDocument'))
    .filter(decrypts)
    .map(({ Resource }) => JSON.stringify(Resource))
  const byKey = listener
    .all('KMS::Key')
    .filter((key) =>
      statementsOf(key, 'KeyPolicy').some(
        (statement) =>
          decrypts(statement) && JSON.stringify(statement.Principal).includes(`["${role}","Arn"]`)
      )
    )
    .map(({ id }) => id)
  return [...own, ...byKey]
}

const keyIn = (properties: Resource['Properties']) =>
  /"(Key[0-9A-F]{8})"/.exec(JSON.stringify(properties))?.[1]

/** The secrets that the stacks create, and how the listener's template names the key of each. */
const secretsIn = ({ state, listener }: Synthesis) => [
  ...state.all('SecretsManager::Secret').map(({ Properties }) => {
    const key = keyIn(Properties)
    return {
      is: (from: string) => new RegExp(`:secret:${Properties.Name}[":]`).test(from),
      key: key && `-state:ExportsOutputFnGetAtt${key}Arn`
    }
  }),
  // Aurora's: tasks read it through its attachment to the cluster
  ...listener.all('SecretsManager::SecretTargetAttachment').map(({ id, Properties }) => ({
    is: (from: string) => from.includes(id),
    key: keyIn(
      listener.one('SecretsManager::Secret', (Properties.SecretId as unknown as { Ref: string }).Ref)
        .Properties
    )
  }))
]

export function secretAccess(t: Test, all: Record<string, Synthesis>) {
  t.test('ECS may decrypt every secret that it passes to a task', async (t) => {
    let encrypted = 0
    for (const [name, synthesis] of Object.entries(all)) {
      const secrets = secretsIn(synthesis)
      for (const { id, Properties } of synthesis.listener.all('ECS::TaskDefinition')) {
        const [, role = ''] = /"([^"]+)","Arn"/.exec(JSON.stringify(Properties.ExecutionRoleArn)) ?? []
        const containers = Properties.ContainerDefinitions as unknown as {
          Secrets?: { Name: string; ValueFrom: unknown }[]
        }[]
        for (const { Name, ValueFrom } of containers.flatMap(({ Secrets }) => Secrets ?? [])) {
          const found = secrets.filter(({ is }) => is(JSON.stringify(ValueFrom)))
          t.equal(found.length, 1, `${name}, ${id}: ${Name} is in a secret that a stack creates`)
          const key = found[0]?.key
          if (!key) continue
          encrypted += 1
          t.ok(
            keysOf(synthesis, role).some((allowed) => allowed.includes(key)),
            `${name}, ${id}: ${Name} is encrypted with ${key}`
          )
        }
      }
    }
    t.ok(encrypted > 6, 'configurations with a customer key pass secrets')
  })
}
