import { listTriggers, type Trigger } from '../../cloudinary/triggers.ts'
import type { Config } from '../../config.ts'
import { commandLine } from '../../own-command.ts'
import type { Finding, Processor } from '../../processor.ts'
import { isServed, WEBHOOK_PATH } from '../../web/webhook-path.ts'
import { defectsOf } from '../setup/trigger-defects.ts'
import { neededTypes, triggerOn, triggersTo } from '../setup/trigger-steps.ts'
import { type Check, fault, ok, warn } from './check.ts'
import { type CloudOptions, eachCloud } from './each-cloud.ts'

export interface TriggerCheckOptions extends CloudOptions {
  processors: readonly Processor[]
  config: Pick<Partial<Config>, 'WEBHOOK_URL' | 'POLL_CHANNEL'>
}

const NOT_ADDITIVE = `not additive: an upload with its own notification_url is not notified here; run: ${commandLine('setup')}`

/**
 * Checks that triggers send each type that a processor handles, unfiltered and to a path that `web` serves.
 */
export const triggers = (options: TriggerCheckOptions): Check => ({
  subject: 'triggers',
  async run(signal) {
    const types = neededTypes(options.processors)
    if (types.length === 0) return []
    const found = await eachCloud(options, signal, async (client) => [
      ...findingsOf(await listTriggers(client), types, options.config)
    ])
    return [...webhookUrl(options.config), ...found]
  }
})

function* webhookUrl({ WEBHOOK_URL: url }: TriggerCheckOptions['config']): Iterable<Finding> {
  if (url === undefined || isServed(new URL(url))) return
  yield fault(`WEBHOOK_URL does not end with ${WEBHOOK_PATH}, the only path that web serves; correct it`)
}

function* findingsOf(
  existing: readonly Trigger[],
  types: readonly string[],
  config: TriggerCheckOptions['config']
): Iterable<Finding> {
  const { ours, target } = oursAmong(existing, config)
  const missing = types.filter((type) => !triggerOn(type, ours))
  if (missing.length > 0) {
    yield fault(`no trigger sends ${missing.join(', ')} to ${target}; run: ${commandLine('setup')}`)
  }
  const used = new Set(types.map((type) => triggerOn(type, ours)).filter((trigger) => trigger !== undefined))
  const defects = [...used].flatMap((trigger) => [...defectsIn(trigger)])
  yield* defects
  yield* misdirected(existing, config)
  if (missing.length + defects.length === 0) yield ok(`${types.join(', ')} to ${target}`)
}

function* defectsIn(trigger: Trigger): Iterable<Finding> {
  const about = (message: string) => `trigger on ${trigger.event_type}: ${message}`
  for (const { level, message } of defectsOf(trigger)) yield { level, message: about(message) }
  if (!trigger.additive) yield warn(about(NOT_ADDITIVE))
}

/**
 * Returns the triggers to this listener. Without a known address, any trigger to the listener's path counts.
 */
function oursAmong(
  existing: readonly Trigger[],
  { WEBHOOK_URL: url, POLL_CHANNEL: channel }: TriggerCheckOptions['config']
): { ours: Trigger[]; target: string } {
  const targets = { ...(url && { WEBHOOK_URL: url }), ...(channel && { POLL_CHANNEL: `poll://${channel}` }) }
  if (Object.keys(targets).length === 0) {
    const ours = existing.filter(({ uri }) => URL.canParse(uri) && isServed(new URL(uri)))
    return { ours, target: `any address with the path ${WEBHOOK_PATH} (WEBHOOK_URL is not set)` }
  }
  const ours = Object.values(targets).flatMap((uri) => triggersTo(uri, existing))
  return { ours, target: Object.keys(targets).join(' or ') }
}

/** Reports triggers to the listener's host with a path that it does not serve, such as a mistyped one. */
function* misdirected(
  existing: readonly Trigger[],
  { WEBHOOK_URL: url }: TriggerCheckOptions['config']
): Iterable<Finding> {
  for (const { uri, event_type } of existing) {
    const target = URL.canParse(uri) ? new URL(uri) : undefined
    if (!url || !target || target.origin !== new URL(url).origin || isServed(target)) continue
    yield warn(
      `trigger on ${event_type}: sends to ${target.pathname} of the listener's host, which web does not ` +
        `serve; unless another service does, delete it in Cloudinary and run: ${commandLine('setup')}`
    )
  }
}
