import { explain } from '../explain.ts'

/**
 * One thing that the listener needs in Cloudinary, and how it stands: it `exists`, is to be created or removed, has
 * become `needless`, or is at `fault` in a way that only people can mend.
 */
export type Step = { subject: 'field' | 'trigger'; what: string } & (
  | { state: 'exists' | 'needless'; note?: string }
  | { state: 'fault'; note: string }
  | { state: 'create' | 'remove'; apply: () => Promise<void> }
)

/** How it stands in the end, as it is printed. */
export interface Result {
  state: 'exists' | 'needless' | 'fault' | 'created' | 'removed' | 'would create' | 'would remove'
  note?: string | undefined
}

/** Does what the step is about, unless it is a dry run. Never throws: what cannot be done is a fault. */
export async function carryOut(step: Step, { dryRun }: { dryRun: boolean }): Promise<Result> {
  if (!('apply' in step)) return { state: step.state, note: step.note }
  if (dryRun) return { state: `would ${step.state}` }
  try {
    await step.apply()
    return { state: `${step.state}d` as const }
  } catch (error) {
    return { state: 'fault', note: explain(error) }
  }
}
