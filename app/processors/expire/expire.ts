import type { IdentifiedAsset } from '../../cloudinary/identified-asset.ts'
import type { AssetEvent } from '../../ingest/event.ts'
import type { Processor, ProcessorContext } from '../../processor.ts'
import { byCurrentName, checkIdentity } from '../current-name.ts'
import { checkOptions } from '../processor-options.ts'
import { type Day, dayAt, dayOf, daysBetween } from './days.ts'
import { expireAsset } from './expire-action.ts'
import { type CheckedOptions, type ExpireOptions, Options } from './expire-options.ts'
import { expirySearch } from './expire-search.ts'

export type { ExpireOptions, ExpiryWarning } from './expire-options.ts'

/** The last warning about an asset. */
interface Warned {
  expiresOn: Day
  warnDays: number
  /** Milliseconds since the epoch. */
  savedAt: number
}

/** State expires 30 days after it was set, and a warning may be older. */
const RENEW_MS = 10 * 86_400_000

/**
 * Warns before the day in a metadata field of an asset, and tags, moves, restricts or deletes the asset on that
 * day. Brings a daily schedule. Decides by the value that it reads just before: search results are older. Costs one
 * call of the Admin API per search and 500 assets found; for each asset found, one call of the Upload API to read
 * it, and one or two to change it.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID
 */
export function expire(given: ExpireOptions = {}, clock: () => number = Date.now): Processor {
  const options = checkOptions('expire', Options, given)
  const { name, field, cron, timezone, environments } = options
  return {
    name,
    on: ['scheduled_search'],
    when: ({ payload }) => payload.schedule === name,
    metadataFields: [{ external_id: field, label: 'Expires on', type: 'date' }],
    schedules: [{ name, cron, timezone, environments, expression: (slot) => expirySearch(options, slot) }],
    async handle(event, context) {
      const { asset } = event
      if (asset === null) return 'skipped: the event names no asset'
      const { cloudinary } = context
      return byCurrentName(cloudinary, asset, async (named) => {
        const state = await cloudinary.currentState(named)
        checkIdentity(named, state)
        const expiresOn = dayOf(state.metadata?.[field])
        if (expiresOn === undefined) return `skipped: ${field} is not set`
        const daysLeft = daysBetween(dayAt(clock(), timezone), expiresOn)
        if (daysLeft <= 0) return `${await expireAsset(cloudinary, named, state, options)}: ${expiresOn}`
        return warn(
          { event, named, assetId: state.asset_id, tags: state.tags, expiresOn, daysLeft },
          options,
          context,
          clock()
        )
      })
    }
  }
}

interface Approaching {
  event: AssetEvent
  named: IdentifiedAsset
  assetId: string
  tags: string[] | undefined
  expiresOn: Day
  daysLeft: number
}

/**
 * Warns once per asset, day and entry of `warnDays`. Of several entries that were reached since the last search, only
 * the latest.
 */
async function warn(
  { event, named, assetId, tags, expiresOn, daysLeft }: Approaching,
  { warnDays: entries, warn: how }: CheckedOptions,
  context: ProcessorContext,
  now: number
): Promise<string> {
  const reached = entries.filter((days) => daysLeft <= days)
  if (reached.length === 0) return `skipped: ${expiresOn} is in ${daysLeft} days`
  const warnDays = Math.min(...reached)
  const { cloudinary, state } = context
  const key = `warned/${event.environment}/${assetId}`
  const save = () => state.set(key, { expiresOn, warnDays, savedAt: now } satisfies Warned)
  const last = await state.get<Warned>(key)
  if (last?.expiresOn === expiresOn && last.warnDays <= warnDays) {
    if (now - last.savedAt > RENEW_MS) await save()
    return `skipped: warned of ${expiresOn} already`
  }
  if (typeof how === 'function') {
    await how({ asset: named, expiresOn, daysLeft, warnDays, event }, context)
  } else if (!tags?.includes(how)) {
    await cloudinary.addTag(named, how)
  }
  await save()
  return `warned: expires on ${expiresOn}, in ${daysLeft} days`
}
