import { listTriggers, type Trigger } from '../../cloudinary/triggers.ts'
import type { Config } from '../../config.ts'
import type { Finding, Processor } from '../../processor.ts'
import { isServed, WEBHOOK_PATH } from '../../web/webhook-path.ts'
import { defectsOf } from '../setup/trigger-defects.ts'
import { neededTypes, triggerOn, triggersTo } from '../setup/trigger-steps.ts'
import { type Check, fault, ok, warn } from './doctor.ts'
import { type CloudOptions, eachCloud } from './each-cloud.ts'

export interface TriggerCheckOptions extends CloudOptions {
  processors: readonly Processor[]
  config: Pick<Partial<Config>, 'WEBHOOK_URL' | 'POLL_CHANNEL'>
}

const NOT_ADDITIVE =
  'it is not additive: an upload that names a notification URL of its own is not notified here; run: node app/main.ts setup'

/** Every type that a processor is on is sent here, whole, and to a path that `web` serves. */
export const triggers = (options: TriggerCheckOptions): Check => ({
  subject: 'triggers',
  async run(signal) {
    const types = neededTypes(options.processors)
    if (types.length === 0) return []
    const found = await eachCloud(options, signal, async (client) => [
      ...findingsOf(await listTriggers(client), types, options.config)
    ])
    return [...ownAddress(options.config), ...found]
  }
})

function* ownAddress({ WEBHOOK_URL: url }: TriggerCheckOptions['config']): Iterable<Finding> {
  if (url === undefined || isServed(new URL(url))) return
  yield fault(`WEBHOOK_URL does not end with ${WEBHOOK_PATH}: web serves no other path; correct it`)
}

function* findingsOf(
  existing: readonly Trigger[],
  types: readonly string[],
  config: TriggerCheckOptions['config']
): Iterable<Finding> {
  const { ours, place } = oursAmong(existing, config)
  const missing = types.filter((type) => !triggerOn(type, ours))
  if (missing.length > 0) {
    yield fault(`no trigger sends ${missing.join(', ')} to ${place}; run: node app/main.ts setup`)
  }
  const used = new Set(types.map((type) => triggerOn(type, ours)).filter((trigger) => trigger !== undefined))
  const defects = [...used].flatMap((trigger) => [...defectsIn(trigger)])
  yield* defects
  yield* strays(existing, config)
  if (missing.length + defects.length === 0) yield ok(`${types.join(', ')} to ${place}`)
}

function* defectsIn(trigger: Trigger): Iterable<Finding> {
  const about = (message: string) => `trigger on ${trigger.event_type}: ${message}`
  for (const { level, message } of defectsOf(trigger)) yield { level, message: about(message) }
  if (!trigger.additive) yield warn(about(NOT_ADDITIVE))
}

/** Without an address to compare with, whatever leads to the listener's path is taken for ours. */
function oursAmong(
  existing: readonly Trigger[],
  { WEBHOOK_URL: url, POLL_CHANNEL: channel }: TriggerCheckOptions['config']
): { ours: Trigger[]; place: string } {
  const places = { ...(url && { WEBHOOK_URL: url }), ...(channel && { POLL_CHANNEL: `poll://${channel}` }) }
  if (Object.keys(places).length === 0) {
    const ours = existing.filter(({ uri }) => URL.canParse(uri) && isServed(new URL(uri)))
    return { ours, place: `any address with the path ${WEBHOOK_PATH} (WEBHOOK_URL is not set)` }
  }
  const ours = Object.values(places).flatMap((uri) => triggersTo(uri, existing))
  return { ours, place: Object.keys(places).join(' or ') }
}

/** Triggers to the listener's host and a path that it does not serve: mistyped, unless another service has that path. */
function* strays(
  existing: readonly Trigger[],
  { WEBHOOK_URL: url }: TriggerCheckOptions['config']
): Iterable<Finding> {
  for (const { uri, event_type } of existing) {
    const place = URL.canParse(uri) ? new URL(uri) : undefined
    if (!url || !place || place.origin !== new URL(url).origin || isServed(place)) continue
    yield warn(
      `trigger on ${event_type}: it sends to ${place.pathname} of the listener's host, a path that web does not serve; ` +
        'if no other service does, delete it in Cloudinary and run: node app/main.ts setup'
    )
  }
}
