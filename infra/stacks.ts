import { type App, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import { ListenerStack } from './listener-stack.ts'
import { readSettings, type Settings } from './settings.ts'
import { StateStack } from './state-stack.ts'

/** Reads the settings, adds what they ask for, and has cdk-nag look at it. Returns the exit code. */
export function describe(app: App, printError: (line: string) => void): number {
  const read = readSettings(app.node.getAllContext())
  if (read.outcome === 'refused') {
    for (const fault of read.faults) printError(`setting ${fault}`)
    printError('Settings are in cdk.json, or given with -c; docs/deploy.md lists them.')
    return 1
  }
  addStacks(app, read.settings)
  Validations.of(app).addPlugins(new AwsSolutionsChecks())
  return 0
}

/**
 * One stack for what all regions share and nobody may lose, and one for each region. None asks AWS for anything: with the
 * account left open and the regions given, the templates are the same wherever they are made.
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
    listener.addStackDependency(state, 'its secrets and its journal')
    return listener
  })
  return { state, listeners }
}
