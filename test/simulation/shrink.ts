import type { Guarantee } from './ledger/guarantee.ts'
import type { Plan } from './plan.ts'
import { START } from './scheduler.ts'
import { type Result, simulate } from './simulation.ts'

/** The lists of a plan that can be shortened, the most telling ones last. */
const LISTS = [
  'forgeries',
  'rotations',
  'outages',
  'limits',
  'commands',
  'processFaults',
  'faults',
  'changes'
] as const

export interface Shrunk {
  plan: Plan
  result: Result
  /** Number of simulations that were made. */
  runs: number
}

/**
 * Returns the smallest plan found that still violates the same guarantee: leaves out parts of each list, halves first
 * (delta debugging). Faults of single calls become a list, so that they can be left out too.
 *
 * @param maximumRuns maximum number of simulations
 */
export async function shrink(plan: Plan, guarantee: Guarantee, maximumRuns = 400): Promise<Shrunk> {
  let runs = 0
  const attempt = async (candidate: Plan): Promise<Result | undefined> => {
    if (runs >= maximumRuns) return undefined
    runs++
    const result = await simulate(candidate)
    return result.violation?.guarantee === guarantee ? result : undefined
  }
  const first = await attempt(plan)
  if (!first) throw new Error(`the plan of seed ${plan.seed} does not violate ${guarantee}`)
  let best: Plan = { ...plan, faults: first.faults }
  let result = (await attempt(best)) ?? first
  for (let before = -1; before !== sizeOf(best) && runs < maximumRuns; ) {
    before = sizeOf(best)
    for (const name of LISTS) {
      for (
        let chunk = Math.ceil((best[name]?.length ?? 0) / 2);
        chunk >= 1;
        chunk = chunk === 1 ? 0 : Math.ceil(chunk / 2)
      ) {
        for (let start = 0; start < (best[name]?.length ?? 0); ) {
          const candidate = {
            ...best,
            [name]: best[name]!.filter((_, index) => index < start || index >= start + chunk)
          }
          const smaller = await attempt(candidate)
          if (!smaller) start += chunk
          else {
            best = candidate
            result = smaller
          }
        }
      }
    }
    for (const simpler of simplerPlans(best)) {
      const smaller = await attempt(simpler)
      if (!smaller) continue
      best = simpler
      result = smaller
    }
  }
  return { plan: best, result, runs }
}

const sizeOf = (plan: Plan): number => LISTS.reduce((sum, name) => sum + (plan[name]?.length ?? 0), 0)

/** Earlier; fewer processes, no skews, no lag, no failures of processors. */
function* simplerPlans(plan: Plan): Generator<Plan> {
  yield earlier(plan)
  yield { ...plan, skewsMs: {} }
  yield { ...plan, indexLagMs: 0 }
  yield { ...plan, failureRate: 0 }
  yield { ...plan, redriveRate: 0 }
  for (const name of plan.processes)
    yield { ...plan, processes: plan.processes.filter((other) => other !== name) }
}

/** Starts shortly before the first change. */
function earlier(plan: Plan): Plan {
  const [first] = plan.changes
  const milliseconds = first ? first.at - START - 5000 : 0
  const moved = <Timed extends { at: number }>(list: readonly Timed[]) =>
    list.map((each) => ({ ...each, at: Math.max(START, each.at - milliseconds) }))
  const movedRanges = <Range extends { from: number; until: number }>(list: readonly Range[]) =>
    list.map((each) => ({ ...each, from: each.from - milliseconds, until: each.until - milliseconds }))
  return {
    ...plan,
    minutes: Math.max(1, plan.minutes - Math.floor(milliseconds / 60_000)),
    changes: moved(plan.changes),
    commands: moved(plan.commands),
    processFaults: moved(plan.processFaults),
    forgeries: moved(plan.forgeries),
    rotations: moved(plan.rotations),
    outages: movedRanges(plan.outages),
    limits: movedRanges(plan.limits)
  }
}
