import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { MUTANTS } from './mutants.ts'
import { mutate } from './mutate.ts'
import type { Plan } from './plan.ts'

const USAGE = `Usage: npm run simulate -- [option…]

Runs the listener's code against models of SQS, DynamoDB, Cloudinary and Secrets Manager in virtual time, with
faults chosen by a seed, and checks the guarantees of docs/guarantees.md. The same seed gives the same trace.

  --seed N       run one seed, and print its story
  --from N       first seed of a campaign; default: the current time
  --seconds N    end a campaign after this time; default 30
  --steps N      end a campaign after this number of timers and answers
  --until-found  end a campaign at the first violation
  --store FILE   write the shrunk plan of the first violation to a file
  --plan FILE    run a stored plan, and print its story
  --mutants      put each known defect into the code, and print in how many steps it is found
  --mutant NAME  run with one of them

Exit code: 0 if every guarantee held; 1 if not.
`

/** Maximum number of steps to detect a mutant. */
const MUTANT_STEPS = 2_000_000

/** A campaign shows its progress on stderr each minute. */
const PROGRESS_MS = 60_000

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    from: { type: 'string' },
    steps: { type: 'string' },
    seconds: { type: 'string' },
    'until-found': { type: 'boolean', default: false },
    store: { type: 'string' },
    plan: { type: 'string' },
    mutant: { type: 'string' },
    mutants: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false }
  }
})

// virtual time replaces it while a simulation runs
const now = performance.now.bind(performance)

if (values.help) console.log(USAGE)
else if (values.mutants) runMutants()
else await runSeeds()

async function runSeeds(): Promise<void> {
  const mutant = MUTANTS.find(({ name }) => name === values.mutant)
  if (values.mutant !== undefined && !mutant) throw new Error(`no such mutant: ${values.mutant}`)
  if (mutant) mutate(mutant)
  // after the mutant: these import the code under test
  const { planOf } = await import('./plan.ts')
  const { simulate } = await import('./simulation.ts')
  const { readFileSync } = await import('node:fs')
  if (values.plan !== undefined) return tell(JSON.parse(readFileSync(values.plan, 'utf8')).plan)
  if (values.seed !== undefined) return tell(planOf(Number(values.seed)))
  const maximumSteps = Number(values.steps ?? Number.POSITIVE_INFINITY)
  const maximumMs = Number(values.seconds ?? (values.steps ? Number.POSITIVE_INFINITY : 30)) * 1000
  const startedAt = now()
  const first = Number(values.from ?? Math.floor(Date.now() / 1000))
  let seed = first
  let steps = 0
  const found: string[] = []
  const summary = () => {
    const seconds = (now() - startedAt) / 1000
    const stepsPerMinute = Math.round((steps / seconds) * 60)
    return { seeds: `${first} to ${seed - 1}`, steps, seconds: Math.round(seconds), stepsPerMinute, found }
  }
  let nextProgressMs = PROGRESS_MS
  do {
    const plan = planOf(seed++)
    const result = await simulate(plan)
    steps += result.steps
    if (now() - startedAt >= nextProgressMs) {
      console.error(JSON.stringify(summary()))
      nextProgressMs += PROGRESS_MS
    }
    const { violation } = result
    if (!violation) continue
    found.push(violation.guarantee)
    console.log(`seed ${plan.seed}: ${violation.message}`)
    if (found.length === 1 && !mutant) await tellShrunk(plan)
    else if (found.length === 1 && values.store) await tellShrunk(plan)
    if (values['until-found']) break
  } while (steps < maximumSteps && now() - startedAt < maximumMs)
  console.log(JSON.stringify(summary()))
  process.exitCode = found.length > 0 ? 1 : 0
}

/** Runs a plan and prints what happens. */
async function tell(plan: Plan): Promise<void> {
  const { simulate } = await import('./simulation.ts')
  const { story, steps, minutes, trace, violation } = await simulate(plan, { tells: true })
  for (const line of story) console.log(line)
  console.log(
    `seed ${plan.seed}: ${steps} steps, ${minutes} minutes, trace ${trace}: ${violation?.message ?? 'every guarantee held'}`
  )
  process.exitCode = violation ? 1 : 0
}

/** Prints the story of the smallest plan with the same violation. */
async function tellShrunk(plan: Plan): Promise<void> {
  const { simulate } = await import('./simulation.ts')
  const { shrink } = await import('./shrink.ts')
  const { violation } = await simulate(plan)
  const shrunk = await shrink(plan, violation!.guarantee)
  console.log(`shrunk in ${shrunk.runs} runs:`)
  await tell(shrunk.plan)
  if (values.store === undefined) return
  const stored = {
    about: violation!.message,
    guarantee: violation!.guarantee,
    ...(values.mutant !== undefined && { mutant: values.mutant }),
    plan: shrunk.plan
  }
  writeFileSync(values.store, `${JSON.stringify(stored, null, 2)}\n`)
}

/** Runs each mutant in a process of its own, and prints a table. */
function runMutants(): void {
  console.log('| mutant | found by | steps |\n| --- | --- | --- |')
  for (const { name, guarantees, plan } of MUTANTS) {
    const options = plan
      ? ['--plan', `${import.meta.dirname}/seeds/${plan}`]
      : ['--from', '1', '--until-found', '--steps', String(MUTANT_STEPS)]
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [import.meta.filename, '--mutant', name, ...options],
      { encoding: 'utf8' }
    )
    const { by, steps } = outcomeOf(stdout.trim().split('\n').at(-1) ?? '')
    if (steps === undefined) throw new Error(`${name}: ${stderr}`)
    const isExpected = by !== undefined && (guarantees as readonly string[]).includes(by)
    if (!isExpected) process.exitCode = 1
    const found = by ? `${by}${isExpected ? '' : ' (another one is expected)'}` : 'NOT FOUND'
    console.log(`| ${name} | ${found}${plan ? ', in a stored plan' : ''} | ${steps.toLocaleString('en')} |`)
  }
}

/** Reads the last line of a campaign or of a plan. */
function outcomeOf(line: string): { by?: string | undefined; steps?: number } {
  if (line.startsWith('{')) {
    const { steps, found } = JSON.parse(line) as { steps: number; found: string[] }
    return { by: found[0], steps }
  }
  const [, steps, by] = /: (\d+) steps,.*trace \w+: (?:(\d[^:]*):)?/.exec(line) ?? []
  return steps === undefined ? {} : { by, steps: Number(steps) }
}
