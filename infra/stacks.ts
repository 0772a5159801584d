import { type App, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import { ListenerStack } from './listener-stack.ts'
import { readSettings } from './read-settings.ts'
import type { Settings } from './settings.ts'
import { StateStack } from './state-stack.ts'

/** Reads the settings, adds the stacks, and validates them with cdk-nag. Returns the exit code. */
export function defineApp(app: App, printError: (line: string) => void): number {
  const read = readSettings(app.node.getAllContext())
  if (read.outcome === 'invalid') {
    for (const problem of read.problems) printError(`setting ${problem}`)
    printError('Set them in cdk.json or with -c. docs/deploy.md lists all settings.')
    return 1
  }
  addStacks(app, read.settings)
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
