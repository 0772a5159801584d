import { type App, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import type { SecretProblem } from './check-secrets.ts'
import { ListenerStack } from './listener-stack.ts'
import { readSettings } from './read-settings.ts'
import { type SecretDefinition, secretsOf } from './secret-definitions.ts'
import type { Settings } from './settings.ts'
import { StateStack } from './state-stack.ts'

/** CDK context that `npm run deploy` sets: refuse to deploy while a secret has no value. */
export const CHECK_SECRETS = 'check-secrets'

/** What `defineApp` uses besides the CDK. */
export interface AppDependencies {
  printError: (line: string) => void
  checkSecrets: (region: string, secrets: readonly SecretDefinition[]) => Promise<SecretProblem[]>
}

/**
 * Reads the settings, adds the stacks, and validates them with cdk-nag. Returns the exit code. Synthesis calls
 * nothing in AWS, except that a deployment first checks that the secrets have values.
 */
export async function defineApp(app: App, { printError, checkSecrets }: AppDependencies): Promise<number> {
  const read = readSettings(app.node.getAllContext())
  if (read.outcome === 'invalid') {
    for (const problem of read.problems) printError(`setting ${problem}`)
    printError('Set them in cdk.json or with -c. docs/deploy.md lists all settings.')
    return 1
  }
  const { settings } = read
  if (app.node.tryGetContext(CHECK_SECRETS) === 'true') {
    const problems = await checkSecrets(settings.regions[0]!, secretsOf(settings))
    for (const { code, secretName, message } of problems) printError(`${code} ${secretName}: ${message}`)
    if (problems.length > 0) {
      printError('Nothing was deployed: tasks do not start without their secrets.')
      return 1
    }
  }
  addStacks(app, settings)
  Validations.of(app).addPlugins(new AwsSolutionsChecks())
  return 0
}

/**
 * Adds a stack for the shared state (journal and secrets) and a stack for each region. Synthesis needs no AWS
 * account and no network, so the templates are the same on every machine.
 */
export function addStacks(app: App, settings: Settings): { state: StateStack; listeners: ListenerStack[] } {
  const { name, regions } = settings
  const tags = { application: name }
  const state = new StateStack(app, `${name}-state`, { settings, tags, env: { region: regions[0]! } })
  const listeners = regions.map((region) => {
    const listener = new ListenerStack(app, `${name}-${region}`, {
      settings,
      tags,
      region,
      env: { region },
      stateKeyArn: state.key?.keyArn
    })
    listener.addStackDependency(state, 'needs the secrets and the journal')
    return listener
  })
  return { state, listeners }
}
