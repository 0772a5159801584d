import { explain } from '../explain-error.ts'

/**
 * One thing that the listener needs in Cloudinary, and how it stands: it `exists`, is to be created, updated or removed,
 * has become `needless`, or is at `fault` in a way that only people can fix.
 */
export type Step = { subject: 'field' | 'trigger'; what: string } & (
  | { state: 'exists' | 'needless'; note?: string }
  | { state: 'fault'; note: string }
  | { state: 'create' | 'update' | 'remove'; apply: () => Promise<void>; note?: string }
)

/** How it stands in the end, as it is printed. */
export interface Result {
  state:
    | 'exists'
    | 'needless'
    | 'kept'
    | 'fault'
    | 'created'
    | 'updated'
    | 'removed'
    | 'would create'
    | 'would update'
    | 'would remove'
    | 'sent'
    | 'not sent'
  note?: string | undefined
}

/**
 * Does what the steps are about, in order, and yields how each stands in the end. Once a trigger is at fault nothing is
 * removed: what is needless may be all that still brings what the one at fault should.
 */
export async function* carryOutAll(
  steps: readonly Step[],
  options: { dryRun: boolean }
): AsyncGenerator<{ step: Step; result: Result }> {
  let removes = true
  for (const step of steps) {
    const result: Result =
      step.state === 'remove' && !removes
        ? {
            state: 'kept',
            note: 'not removed, since a trigger above is at fault; mend that, and run it again'
          }
        : await carryOut(step, options)
    if (step.subject === 'trigger' && result.state === 'fault') removes = false
    yield { step, result }
  }
}

/** Does what the step is about, unless it is a dry run. Never throws: what cannot be done is a fault. */
export async function carryOut(step: Step, { dryRun }: { dryRun: boolean }): Promise<Result> {
  const { note } = step
  if (!('apply' in step)) return { state: step.state, note }
  if (dryRun) return { state: `would ${step.state}`, note }
  try {
    await step.apply()
    return { state: `${step.state}d` as const, note }
  } catch (error) {
    return { state: 'fault', note: explain(error) }
  }
}
