import type { NewTrigger, Trigger } from '../../cloudinary/triggers.ts'
import type { Processor } from '../../processor.ts'
import { isSamePlace } from './same-address.ts'
import type { Step } from './setup-step.ts'
import { defectsOf } from './trigger-defects.ts'

/** What a trigger on every type is on, those that Cloudinary has yet to invent included. */
const ALL = 'all'

/**
 * Notification URLs that a product environment may have.
 * Source: https://cloudinary.com/documentation/admin_api_triggers
 */
const MAXIMUM_URLS = 30

const URLS_EXHAUSTED =
  `NOTIFICATION_URLS_EXHAUSTED: this product environment has ${MAXIMUM_URLS} notification URLs, the maximum; delete the ` +
  'triggers to one that nobody needs any more in Cloudinary'

const NOT_ADDITIVE = 'without additive, a call that names a notification URL of its own is not notified here'

/** Where the notifications go. */
export type Target = Pick<NewTrigger, 'uri' | 'uri_type'>

export interface TriggerWork {
  target: Target
  /** What processors need, see `neededTypes`. */
  types: readonly string[]
  /** The environment's triggers, other people's among them. */
  existing: readonly Trigger[]
  /** Remove triggers to the target for types that no processor needs. */
  prune: boolean
  create: (trigger: NewTrigger) => Promise<void>
  /** Makes a trigger additive. */
  makeAdditive: (trigger: Trigger) => Promise<void>
  remove: (id: string) => Promise<void>
}

/**
 * The types that triggers are needed on: those the processors are on, or `all` where one is on everything. A processor
 * on `unknown` is: the types that this release does not know are named by nobody.
 */
export function neededTypes(processors: readonly Processor[]): string[] {
  const types = new Set<string>(processors.flatMap(({ on }) => on))
  return types.has('*') || types.has('unknown') ? [ALL] : [...types].sort()
}

/** The triggers that send to a place. */
export const triggersTo = (uri: string, existing: readonly Trigger[]): Trigger[] =>
  existing.filter((trigger) => isSamePlace(trigger.uri, uri))

/** The trigger that sends a type, if there is one: its own, or else one on all types. */
export const triggerOn = (type: string, ours: readonly Trigger[]): Trigger | undefined =>
  ours.find(({ event_type }) => event_type === type) ?? ours.find(({ event_type }) => event_type === ALL)

/** What is to be done so that each needed type, and no other, is notified to the target. Other triggers are left alone. */
export function triggerSteps(work: TriggerWork): Step[] {
  const { target, types, prune } = work
  const ours = triggersTo(target.uri, work.existing)
  const isFull = target.uri_type === 'webhook' && ours.length === 0 && urlsOf(work.existing) >= MAXIMUM_URLS
  const whatOf = (type: string) => `${type} → ${target.uri}`
  const update = (trigger: Trigger): Step => ({
    subject: 'trigger',
    what: whatOf(trigger.event_type),
    state: 'update',
    note: [NOT_ADDITIVE, ...defectsOf(trigger).map(({ message }) => message)].join('; '),
    apply: () => work.makeAdditive(trigger)
  })
  const needed = types.map((type): Step => {
    const about = { subject: 'trigger', what: whatOf(type) } as const
    const covering = triggerOn(type, ours)
    if (!covering && isFull) return { ...about, state: 'fault', note: URLS_EXHAUSTED }
    if (!covering) {
      const trigger = { ...target, event_type: type, additive: true }
      return { ...about, state: 'create', apply: () => work.create(trigger) }
    }
    const defects = defectsOf(covering)
    const isOwn = covering.event_type === type
    const note = [...(isOwn ? [] : ['by the trigger on all']), ...defects.map(({ message }) => message)].join(
      '; '
    )
    if (defects.some(({ level }) => level === 'fault')) return { ...about, state: 'fault', note }
    return isOwn && !covering.additive
      ? update(covering)
      : { ...about, state: 'exists', ...(note && { note }) }
  })
  const onAll = ours.find(({ event_type }) => event_type === ALL)
  const isOnAllUsed = types.some((type) => triggerOn(type, ours) === onAll)
  if (onAll && isOnAllUsed && !onAll.additive && !types.includes(ALL)) needed.push(update(onAll))
  const needless = ours
    .filter(({ event_type: type }) => type !== ALL && !types.includes(type))
    .map(({ id, event_type }): Step => {
      const about = { subject: 'trigger', what: whatOf(event_type) } as const
      return prune
        ? { ...about, state: 'remove', apply: () => work.remove(id) }
        : { ...about, state: 'needless', note: reasonOf(types) }
    })
  return [...needed, ...needless]
}

const reasonOf = (types: readonly string[]) =>
  types.includes(ALL)
    ? 'the trigger on all sends it as well; --prune removes this one'
    : 'no processor is on it; --prune removes it'

/** How many notification URLs there are. That the places of other kinds do not count is assumed. */
const urlsOf = (existing: readonly Trigger[]): number =>
  new Set(existing.filter(({ uri_type: kind = 'webhook' }) => kind === 'webhook').map(({ uri }) => uri)).size
