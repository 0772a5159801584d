import type { CloudinaryClient } from '../../cloudinary/client.ts'
import { createTrigger, deleteTrigger, listTriggers, updateTrigger } from '../../cloudinary/triggers.ts'
import { POLL_CHANNEL_NAME, readConfig } from '../../config.ts'
import { ListenerError } from '../../errors.ts'
import { loadListener } from '../../listener-config/load-listener.ts'
import { SILENT } from '../../logger.ts'
import type { Processor } from '../../processor.ts'
import { isServed, WEBHOOK_PATH } from '../../web/webhook-path.ts'
import { createClients, loadEnvironments } from '../../wiring.ts'
import { type Print, readArguments, UsageError } from '../arguments.ts'
import type { Command } from '../command.ts'
import { explain } from '../explain-error.ts'
import { interruption } from '../interruption.ts'
import { count, lineOf } from '../report-line.ts'
import { fieldStep, neededFields } from './metadata-field-step.ts'
import { carryOutAll, type Result, type Step } from './setup-step.ts'
import { sendTest } from './test-notification.ts'
import { neededTypes, type Target, triggerSteps } from './trigger-steps.ts'

export const SETUP_USAGE = `Usage: node app/main.ts setup --url https://HOST/webhooks/cloudinary [option…]
       node app/main.ts setup --poll CHANNEL [option…]

Creates in Cloudinary what the processors of listener.config.ts need and is not there yet: their metadata fields, and a
trigger for each type of notification they are on, which sends it to the webhook or into a poll channel. Makes triggers
additive that are not: an upload that names a notification URL of its own would not be notified here. Prints how each
stands. Changes nothing else, leaves the triggers of others alone; safe to run again. After a change it has Cloudinary
send a test notification.

  --url URL            where web is reached from outside; default WEBHOOK_URL
  --poll CHANNEL       a poll channel instead, for the role poll
  --environment CLOUD  this cloud alone, or several of them; default all that there are credentials for
  --prune              removes triggers to the same place for types that no processor is on any more; none of an
                       environment where a trigger is at fault
  --test               sends a test notification even if no trigger was created or updated
  --dry-run            changes nothing, and prints what would be done

Exit code: 0 when all that is needed is there; 1 when something is not and could not be created; 2 for a wrong option.
`

export interface Setup {
  target: Target
  /** Undefined: all. */
  environments: readonly string[] | undefined
  prune: boolean
  test: boolean
  dryRun: boolean
}

export interface SetupOptions {
  processors: readonly Processor[]
  cloudNames: readonly string[]
  connect: (cloudName: string) => CloudinaryClient
  print: Print
}

/**
 * @param webhookUrl the URL where none is given
 * @throws {UsageError}
 */
export function parseSetup(args: string[], webhookUrl?: string): Setup {
  const { values } = readArguments({
    args,
    options: {
      url: { type: 'string' },
      poll: { type: 'string' },
      environment: { type: 'string', multiple: true },
      prune: { type: 'boolean', default: false },
      test: { type: 'boolean', default: false },
      'dry-run': { type: 'boolean', default: false }
    }
  })
  const { poll, environment: environments, prune, test, 'dry-run': dryRun } = values
  if (values.url !== undefined && poll !== undefined)
    throw new UsageError('setup takes --url or --poll, not both')
  const url = values.url ?? (poll === undefined ? webhookUrl : undefined)
  return {
    target: targetOf(url, poll, values.url === undefined ? 'WEBHOOK_URL' : '--url'),
    environments,
    prune,
    test,
    dryRun
  }
}

/** @param name of what says the URL */
function targetOf(url: string | undefined, channel: string | undefined, name: string): Target {
  if (channel !== undefined) {
    if (!POLL_CHANNEL_NAME.test(channel))
      throw new UsageError('--poll must be 1 to 128 letters, digits and any of . _ -')
    return { uri: `poll://${channel}`, uri_type: 'poll' }
  }
  if (url === undefined)
    throw new UsageError('setup needs --url, the public address of the webhook, or --poll, a channel')
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.username || parsed.password) {
    throw new UsageError(`${name} must be an http(s) URL, without credentials`)
  }
  if (!isServed(parsed)) {
    throw new UsageError(
      `${name} must end with ${WEBHOOK_PATH}: web serves no other path, and notifications to it would be lost`,
      'WEBHOOK_PATH_NOT_SERVED'
    )
  }
  return { uri: url, uri_type: 'webhook' }
}

/**
 * Brings each environment to what the processors need, and returns the exit code. An environment that fails does not
 * keep the others from theirs.
 *
 * @throws {ListenerError} ENVIRONMENT_UNKNOWN before anything is done
 */
export async function setup(setup: Setup, options: SetupOptions): Promise<number> {
  const { cloudNames, print } = options
  const { target, environments = cloudNames, dryRun } = setup
  const unknown = environments.find((name) => !cloudNames.includes(name))
  if (unknown !== undefined) {
    throw new ListenerError(
      'ENVIRONMENT_UNKNOWN',
      `there are no credentials for "${unknown}"; there are for: ${cloudNames.join(', ')}`
    )
  }
  const results: Result[] = []
  for (const cloudName of environments) {
    const report = (subject: Step['subject'] | 'cloud' | 'test', what: string, result: Result) => {
      results.push(result)
      const { state, note } = result
      print(
        lineOf(cloudName, subject.padEnd(7), state.padEnd(dryRun ? 12 : 8), what + (note ? `: ${note}` : ''))
      )
    }
    try {
      const client = options.connect(cloudName)
      const steps = await stepsFor(client, setup, options.processors)
      let isChanged = setup.test
      for await (const { step, result } of carryOutAll(steps, { dryRun })) {
        report(step.subject, step.what, result)
        if (step.subject === 'trigger' && /^(?:cre|upd)ated$/.test(result.state)) isChanged = true
      }
      if (isChanged && !dryRun) {
        report('test', `test notification → ${target.uri}`, await sendTest(client, target.uri))
      }
    } catch (error) {
      report('cloud', cloudName, { state: 'fault', note: explain(error) })
    }
  }
  return summarise(results, { target, dryRun, print })
}

async function stepsFor(
  client: CloudinaryClient,
  { target, prune }: Setup,
  processors: readonly Processor[]
): Promise<Step[]> {
  const fields = neededFields(processors)
  return [
    ...(await Promise.all(fields.map((field) => fieldStep(client, field)))),
    ...triggerSteps({
      target,
      prune,
      types: neededTypes(processors),
      existing: await listTriggers(client),
      create: (trigger) => createTrigger(client, trigger),
      makeAdditive: (trigger) => updateTrigger(client, trigger, { additive: true }),
      remove: (id) => deleteTrigger(client, id)
    })
  ]
}

function summarise(
  results: readonly Result[],
  { target, dryRun, print }: { target: Target; dryRun: boolean; print: Print }
): number {
  const number = (...states: Result['state'][]) =>
    results.filter(({ state }) => states.includes(state)).length
  const [create, update, remove] = dryRun
    ? (['Would create', 'would update', 'would remove'] as const)
    : (['Created', 'updated', 'removed'] as const)
  const faults = number('fault')
  print(
    `${create} ${number('created', 'would create')}, ${update} ${number('updated', 'would update')}, ` +
      `${remove} ${number('removed', 'would remove')}, there already: ${number('exists')}, needless: ${number('needless', 'kept')}. ${count(faults, 'fault')}.`
  )
  if (faults > 0) print('Next: fix what the lines with "fault" say, and run it again.')
  else if (dryRun) print('Next: run it without --dry-run.')
  else print(nextOf(target))
  return faults > 0 ? 1 : 0
}

function nextOf({ uri, uri_type: type }: Target): string {
  if (type === 'poll') {
    const channel = uri.slice('poll://'.length)
    return `Next: start it with POLL_CHANNEL=${channel} (npm start, or node app/main.ts poll), then upload something to Cloudinary.`
  }
  return `Next: upload something to Cloudinary; the log of web then has "notification accepted".`
}

export const setupCommand: Command = {
  summary: 'creates in Cloudinary the metadata fields and triggers that the processors need',
  usage: SETUP_USAGE,
  async run(args, print) {
    const config = readConfig()
    const selection = parseSetup(args, config.WEBHOOK_URL)
    const { processors } = await loadListener(config.LISTENER_CONFIG)
    const environments = await loadEnvironments(config, SILENT)
    const clients = createClients(environments, SILENT)
    const signal = interruption()
    return setup(selection, {
      processors,
      cloudNames: environments.cloudNames(),
      connect: (cloudName) => clients.for(cloudName, signal),
      print
    }).finally(() => clients.close())
  }
}
