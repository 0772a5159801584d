import { explain } from '../explain-error.ts'

/**
 * A metadata field or trigger, and what to do about it. The item `exists`, is `unused`, or has a `fault` that
 * only a person can fix; or `setup` creates, updates or removes it.
 */
export type SetupStep = { subject: 'field' | 'trigger'; what: string } & (
  | { state: 'exists' | 'unused'; note?: string }
  | { state: 'fault'; note: string }
  | { state: 'create' | 'update' | 'remove'; apply: () => Promise<void>; note?: string }
)

/** The final state, as printed. */
export interface StepResult {
  state:
    | 'exists'
    | 'unused'
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
 * Applies steps in order, and yields their results. After a trigger step with a fault, removes no trigger: an
 * unused trigger may still deliver what the faulty one should deliver.
 */
export async function* applySteps(
  steps: readonly SetupStep[],
  options: { dryRun: boolean }
): AsyncGenerator<{ step: SetupStep; result: StepResult }> {
  let removes = true
  for (const step of steps) {
    const result: StepResult =
      step.state === 'remove' && !removes
        ? {
            state: 'kept',
            note: 'not removed, since a trigger above has a fault; fix it and run setup again'
          }
        : await applyStep(step, options)
    if (step.subject === 'trigger' && result.state === 'fault') removes = false
    yield { step, result }
  }
}

/** Applies a step, unless it is a dry run. Never throws: an error becomes a fault. */
export async function applyStep(step: SetupStep, { dryRun }: { dryRun: boolean }): Promise<StepResult> {
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
