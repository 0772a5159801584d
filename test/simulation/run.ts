import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { MUTANTS, mutate } from './mutants.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    from: { type: 'string' },
    steps: { type: 'string' },
    seconds: { type: 'string' },
    mutant: { type: 'string' },
    mutants: { type: 'boolean', default: false },
    until: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false }
  }
})

/** Steps within which a mutant must be found. */
const MUTANT_STEPS = 2_000_000

const now = performance.now.bind(performance)

if (values.mutants) runMutants()
else await campaign()

/** Runs seeds until a limit. With `--seed`, runs one and prints its story. */
async function campaign(): Promise<void> {
  const mutant = MUTANTS.find(({ name }) => name === values.mutant)
  if (values.mutant !== undefined && !mutant) throw new Error(`no such mutant: ${values.mutant}`)
  if (mutant) mutate(mutant)
  // after the mutant: these import the code under test
  const { planOf } = await import('./plan.ts')
  const { simulate } = await import('./simulation.ts')
  const seed = values.seed === undefined ? undefined : Number(values.seed)
  const maximumSteps = Number(values.steps ?? Number.POSITIVE_INFINITY)
  const maximumMs = Number(values.seconds ?? (values.steps ? Number.POSITIVE_INFINITY : 30)) * 1000
  const startedAt = now()
  let steps = 0
  let seeds = 0
  const found: string[] = []
  for (let next = seed ?? Number(values.from ?? 1); ; next++) {
    const result = await simulate(planOf(next), { tells: seed !== undefined })
    steps += result.steps
    seeds++
    for (const line of result.story) console.log(line)
    const { violation, trace, minutes } = result
    if (violation) found.push(violation.guarantee)
    if (violation || seed !== undefined) {
      console.log(`seed ${next}: ${result.steps} steps, ${minutes} minutes, trace ${trace}: ${violation?.message ?? 'ok'}`)
    }
    if (seed !== undefined || (mutant && violation)) break
    if (steps >= maximumSteps || now() - startedAt >= maximumMs) break
  }
  const seconds = (now() - startedAt) / 1000
  console.log(
    JSON.stringify({ steps, seeds, seconds: Math.round(seconds), stepsPerMinute: Math.round((steps / seconds) * 60), found })
  )
  process.exitCode = found.length > 0 ? 1 : 0
}

/** Runs each mutant in a process of its own, and prints a table. */
function runMutants(): void {
  for (const { name, guarantees } of MUTANTS) {
    const { stdout, stderr } = spawnSync(process.execPath, [import.meta.filename, '--mutant', name, '--steps', String(MUTANT_STEPS)], {
      encoding: 'utf8'
    })
    const last = stdout.trim().split('\n').at(-1) ?? ''
    const result = last.startsWith('{') ? (JSON.parse(last) as { steps: number; seeds: number; found: string[] }) : undefined
    const [by] = result?.found ?? []
    const isExpected = by !== undefined && (guarantees as readonly string[]).includes(by)
    if (!isExpected) process.exitCode = 1
    console.log(`| ${name} | ${by ?? 'NOT FOUND'}${isExpected || !by ? '' : ' (UNEXPECTED)'} | ${result?.steps ?? stderr.slice(0, 2000)} | ${result?.seeds} |`)
  }
}
