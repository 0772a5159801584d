import type { CloudinaryClient } from '../../cloudinary/client.ts'
import { createTrigger, deleteTrigger, listTriggers, updateTrigger } from '../../cloudinary/triggers.ts'
import { POLL_CHANNEL_NAME, readConfig } from '../../config.ts'
import { ListenerError } from '../../errors.ts'
import { loadListener } from '../../listener-config/load-listener.ts'
import { SILENT } from '../../logger.ts'
import { commandLine } from '../../own-command.ts'
import type { Processor } from '../../processor.ts'
import { isServed, WEBHOOK_PATH } from '../../web/webhook-path.ts'
import { createClients, loadEnvironments } from '../../wiring.ts'
import { type Print, readArguments, UsageError } from '../arguments.ts'
import type { Command } from '../command.ts'
import { explain } from '../explain-error.ts'
import { interruption } from '../interruption.ts'
import { count, lineOf, NEXT_AFTER_DRY_RUN } from '../report-line.ts'
import { fieldStep, neededFields } from './metadata-field-step.ts'
import { applySteps, type SetupStep, type StepResult } from './setup-step.ts'
import { sendTest } from './test-notification.ts'
import { type NotificationTarget, neededTypes, triggerSteps } from './trigger-steps.ts'

export const SETUP_USAGE = `Usage: node app/main.ts setup --url https://HOST/webhooks/cloudinary [option…]
       node app/main.ts setup --poll CHANNEL [option…]

Creates in Cloudinary what the processors of listener.config.ts need: their metadata fields, and a trigger
for each notification type they handle, which sends it to the webhook or to a poll channel. Makes these
triggers additive, or an upload with its own notification_url would not be notified here. Prints a line for
each field and trigger. Changes nothing else, and is safe to run again. After a change, asks Cloudinary to
send a test notification.

  --url URL            the public address of the webhook; default WEBHOOK_URL
  --poll CHANNEL       a poll channel instead, for the role poll
  --environment CLOUD  only this cloud; may be repeated; default all clouds with credentials
  --prune              removes triggers to this address for types that no processor handles; none
                       in an environment where a trigger has a fault
  --test               sends a test notification even if no trigger was created or updated
  --dry-run            changes nothing, and prints what it would do

Exit code: 0 if all that is needed exists; 1 on a fault; 2 for a wrong option.
`

export interface SetupArguments {
  target: NotificationTarget
  /** Clouds to set up; undefined for all. */
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
 * @param webhookUrl the default of --url
 * @throws {UsageError}
 */
export function parseSetup(args: string[], webhookUrl?: string): SetupArguments {
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

/** @param name where the URL comes from */
function targetOf(url: string | undefined, channel: string | undefined, name: string): NotificationTarget {
  if (channel !== undefined) {
    if (!POLL_CHANNEL_NAME.test(channel))
      throw new UsageError('--poll must be 1 to 128 characters: letters, digits, and . _ -')
    return { uri: `poll://${channel}`, uri_type: 'poll' }
  }
  if (url === undefined)
    throw new UsageError('setup needs --url, the public address of the webhook, or --poll, a channel')
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.username || parsed.password) {
    throw new UsageError(`${name} must be an http(s) URL without credentials`)
  }
  if (!isServed(parsed)) {
    throw new UsageError(
      `${name} must end with ${WEBHOOK_PATH}, the only path that web serves`,
      'WEBHOOK_PATH_NOT_SERVED'
    )
  }
  return { uri: url, uri_type: 'webhook' }
}

/**
 * Sets up each environment, and returns the exit code. Continues with the next environment after an error.
 *
 * @throws {ListenerError} ENVIRONMENT_UNKNOWN before anything is changed
 */
export async function setup(selection: SetupArguments, options: SetupOptions): Promise<number> {
  const { cloudNames, print } = options
  const { target, environments = cloudNames, dryRun } = selection
  const unknown = environments.find((name) => !cloudNames.includes(name))
  if (unknown !== undefined) {
    throw new ListenerError(
      'ENVIRONMENT_UNKNOWN',
      `no credentials for "${unknown}"; there are credentials for: ${cloudNames.join(', ')}`
    )
  }
  const results: StepResult[] = []
  for (const cloudName of environments) {
    const report = (subject: SetupStep['subject'] | 'cloud' | 'test', what: string, result: StepResult) => {
      results.push(result)
      const { state, note } = result
      print(
        lineOf(cloudName, subject.padEnd(7), state.padEnd(dryRun ? 12 : 8), what + (note ? `: ${note}` : ''))
      )
    }
    try {
      const client = options.connect(cloudName)
      const steps = await stepsFor(client, selection, options.processors)
      let sendsTest = selection.test
      for await (const { step, result } of applySteps(steps, { dryRun })) {
        report(step.subject, step.what, result)
        if (step.subject === 'trigger' && /^(?:cre|upd)ated$/.test(result.state)) sendsTest = true
      }
      if (sendsTest && !dryRun) {
        report('test', `test notification → ${target.uri}`, await sendTest(client, target.uri))
      }
    } catch (error) {
      report('cloud', cloudName, { state: 'fault', note: explain(error) })
    }
  }
  return summarize(results, { target, dryRun, print })
}

async function stepsFor(
  client: CloudinaryClient,
  { target, prune }: SetupArguments,
  processors: readonly Processor[]
): Promise<SetupStep[]> {
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

function summarize(
  results: readonly StepResult[],
  { target, dryRun, print }: { target: NotificationTarget; dryRun: boolean; print: Print }
): number {
  const number = (...states: StepResult['state'][]) =>
    results.filter(({ state }) => states.includes(state)).length
  const [create, update, remove] = dryRun
    ? (['Would create', 'would update', 'would remove'] as const)
    : (['Created', 'updated', 'removed'] as const)
  const faults = number('fault')
  print(
    `${create} ${number('created', 'would create')}, ${update} ${number('updated', 'would update')}, ` +
      `${remove} ${number('removed', 'would remove')}, existing: ${number('exists')}, ` +
      `unused: ${number('unused', 'kept')}. ${count(faults, 'fault')}.`
  )
  if (faults > 0) print('Next: fix the faults above and run it again.')
  else print(dryRun ? NEXT_AFTER_DRY_RUN : nextStep(target))
  return faults > 0 ? 1 : 0
}

function nextStep({ uri, uri_type: type }: NotificationTarget): string {
  if (type === 'poll') {
    const channel = uri.slice('poll://'.length)
    return (
      `Next: start the listener with POLL_CHANNEL=${channel} (npm start, or ${commandLine('poll')}), then ` +
      'upload something to Cloudinary.'
    )
  }
  return 'Next: upload something to Cloudinary; web then logs "notification accepted".'
}

export const setupCommand: Command = {
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
