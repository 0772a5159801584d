import type { NewTrigger, Trigger } from '../../cloudinary/triggers.ts'
import { OWN_TYPES } from '../../ingest/event.ts'
import type { Processor } from '../../processor.ts'
import { isSameAddress } from './same-address.ts'
import type { SetupStep } from './setup-step.ts'
import { defectsOf } from './trigger-defects.ts'

/** The type of a trigger that sends all types, including future ones. */
const ALL = 'all'

/**
 * Maximum number of notification URLs of a product environment.
 * Source: https://cloudinary.com/documentation/admin_api_triggers
 */
const MAX_URLS = 30

const URLS_EXHAUSTED =
  `NOTIFICATION_URLS_EXHAUSTED: this environment has ${MAX_URLS} notification URLs, the maximum; ` +
  'in Cloudinary, delete the triggers of a URL that is no longer used'

const NOT_ADDITIVE = 'not additive: an upload with its own notification_url is not notified here'

/** Where notifications are sent. */
export type NotificationTarget = Pick<NewTrigger, 'uri' | 'uri_type'>

export interface TriggerWork {
  target: NotificationTarget
  /** Types that need a trigger, from {@link neededTypes}. */
  types: readonly string[]
  /** All triggers of the environment, including those of other systems. */
  existing: readonly Trigger[]
  /** True to remove triggers to the target for types that no processor needs. */
  prune: boolean
  create: (trigger: NewTrigger) => Promise<void>
  makeAdditive: (trigger: Trigger) => Promise<void>
  remove: (id: string) => Promise<void>
}

const OWN: ReadonlySet<string> = new Set(OWN_TYPES)

/**
 * Returns the types that need a trigger: those of the processors that Cloudinary notifies, or `all` if a
 * processor is on `*` or on `unknown`, since types unknown to this release have no names.
 */
export function neededTypes(processors: readonly Processor[]): string[] {
  const types = new Set<string>(processors.flatMap(({ on }) => on)).difference(OWN)
  return types.has('*') || types.has('unknown') ? [ALL] : [...types].sort()
}

/** Returns the triggers with an address. */
export const triggersTo = (uri: string, existing: readonly Trigger[]): Trigger[] =>
  existing.filter((trigger) => isSameAddress(trigger.uri, uri))

/** Returns the trigger that sends a type: its own, or one on all types. */
export const triggerOn = (type: string, ours: readonly Trigger[]): Trigger | undefined =>
  ours.find(({ event_type }) => event_type === type) ?? ours.find(({ event_type }) => event_type === ALL)

/**
 * Decides which triggers to the target to create, update and remove. Leaves triggers to other addresses
 * alone.
 */
export function triggerSteps(work: TriggerWork): SetupStep[] {
  const { target, types, prune } = work
  const ours = triggersTo(target.uri, work.existing)
  const isFull = target.uri_type === 'webhook' && ours.length === 0 && urlsOf(work.existing) >= MAX_URLS
  const about = (type: string) => ({ subject: 'trigger', what: `${type} → ${target.uri}` }) as const
  const update = (trigger: Trigger): SetupStep => ({
    ...about(trigger.event_type),
    state: 'update',
    note: [NOT_ADDITIVE, ...defectsOf(trigger).map(({ message }) => message)].join('; '),
    apply: () => work.makeAdditive(trigger)
  })
  const needed = types.map((type): SetupStep => {
    const covering = triggerOn(type, ours)
    if (!covering && isFull) return { ...about(type), state: 'fault', note: URLS_EXHAUSTED }
    if (!covering) {
      const trigger = { ...target, event_type: type, additive: true }
      return { ...about(type), state: 'create', apply: () => work.create(trigger) }
    }
    const defects = defectsOf(covering)
    const isOwn = covering.event_type === type
    const notes = [
      ...(isOwn ? [] : ['sent by the trigger for all types']),
      ...defects.map(({ message }) => message)
    ]
    const note = notes.join('; ')
    if (defects.some(({ level }) => level === 'fault')) return { ...about(type), state: 'fault', note }
    return isOwn && !covering.additive
      ? update(covering)
      : { ...about(type), state: 'exists', ...(note && { note }) }
  })
  const onAll = ours.find(({ event_type }) => event_type === ALL)
  const isOnAllUsed = types.some((type) => triggerOn(type, ours) === onAll)
  if (onAll && isOnAllUsed && !onAll.additive && !types.includes(ALL)) needed.push(update(onAll))
  const unused = ours
    .filter(({ event_type: type }) => type !== ALL && !types.includes(type))
    .map(
      ({ id, event_type: type }): SetupStep =>
        prune
          ? { ...about(type), state: 'remove', apply: () => work.remove(id) }
          : { ...about(type), state: 'unused', note: unusedNote(types) }
    )
  return [...needed, ...unused]
}

const unusedNote = (types: readonly string[]) =>
  types.includes(ALL)
    ? 'the trigger for all types sends it too; --prune removes this one'
    : 'no processor handles it; --prune removes it'

/** Returns the number of notification URLs. Assumes that poll channels and flows do not count. */
const urlsOf = (existing: readonly Trigger[]): number =>
  new Set(existing.filter(({ uri_type: kind = 'webhook' }) => kind === 'webhook').map(({ uri }) => uri)).size
