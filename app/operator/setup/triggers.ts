import type { NewTrigger, Trigger } from '../../cloudinary/triggers.ts'
import type { Processor } from '../../listener.ts'
import type { Step } from './step.ts'

/** What a trigger on every type is on, those that Cloudinary has yet to invent included. */
const ALL = 'all'

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

/** What is to be done so that each needed type, and no other, is notified to the target. Other triggers are left alone. */
export function triggerSteps(work: TriggerWork): Step[] {
  const { target, types, prune } = work
  const ours = work.existing.filter(({ uri }) => isSame(uri, target.uri))
  const whatOf = (type: string) => `${type} → ${target.uri}`
  const needed = types.map((type): Step => {
    const about = { subject: 'trigger', what: whatOf(type) } as const
    const found = ours.find(({ event_type }) => event_type === type)
    const covering = found ?? ours.find(({ event_type }) => event_type === ALL)
    if (!covering) {
      return { ...about, state: 'create', apply: () => work.create({ ...target, event_type: type }) }
    }
    if (covering.auth_scheme === 'eddsa_v2') {
      return {
        ...about,
        state: 'fault',
        note: 'its auth_scheme is eddsa_v2, whose algorithm is not published; set "default" or "legacy_hmac" in Cloudinary'
      }
    }
    return { ...about, state: 'exists', ...(!found && { note: 'by the trigger on all' }) }
  })
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

/** `https://example.com` and `https://example.com/` are one place. */
function isSame(a: string, b: string): boolean {
  return a === b || (URL.canParse(a) && URL.canParse(b) && new URL(a).href === new URL(b).href)
}
