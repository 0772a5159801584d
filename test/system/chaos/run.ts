import { parseArgs } from 'node:util'
import { type Result, runScenario } from './run-scenario.ts'
import type { Scenario } from './scenario.ts'
import { SCENARIOS } from './scenarios.ts'
import { formatTable } from './table.ts'

const USAGE = `Usage: npm run test:chaos -- [--long] [--events N] [--only NAME]…

Runs the whole system as processes under a load, with one fault per run, and checks the guarantees. Exits 1 if one is
broken.

  --long       also runs faults of minutes: Cloudinary down, DynamoDB too slow
  --events N   events per run, unless the fault needs more; default 300
  --only NAME  only this run; repeatable: ${Object.keys(SCENARIOS).join(', ')}
`

/** Parallel runs: a run mostly waits. */
const LANES = 2

/** The longest runs start first; they wait for timeouts of SQS and of Cloudinary's client. */
const LONGEST: readonly Scenario[] = [
  SCENARIOS.cloudinaryDown,
  SCENARIOS.dynamoDbLate,
  SCENARIOS.workerKilled,
  SCENARIOS.sqsRefusing,
  SCENARIOS.cloudinaryHanging,
  SCENARIOS.cloudinaryLimiting,
  SCENARIOS.dynamoDbRefusing
]

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    long: { type: 'boolean', default: false },
    events: { type: 'string', default: '300' },
    only: { type: 'string', multiple: true, default: [] }
  }
})

function chosen(): Scenario[] {
  const all = Object.entries<Scenario>(SCENARIOS)
  const named = values.only.length > 0
  return all
    .filter(([name, scenario]) => (named ? values.only.includes(name) : values.long || !scenario.long))
    .map(([, scenario]) => scenario)
}

/** Runs the scenarios; an error is a result too. */
async function runAll(scenarios: readonly Scenario[]): Promise<Map<Scenario, Result | Error>> {
  const results = new Map<Scenario, Result | Error>()
  const waiting = [...scenarios].sort((a, b) => rank(a) - rank(b))
  const lane = async () => {
    for (let scenario = waiting.shift(); scenario; scenario = waiting.shift()) {
      const result = await runScenario(scenario, { events: scenario.events ?? Number(values.events) }).catch(
        (error: Error) => error
      )
      results.set(scenario, result)
      const failed = result instanceof Error || result.broken.length > 0
      console.error(`${failed ? 'BROKEN' : 'held  '}  ${scenario.fault}`)
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return results
}

/** Sorts the longest runs first; the others keep their order. */
const rank = (scenario: Scenario) => (LONGEST.includes(scenario) ? LONGEST.indexOf(scenario) : LONGEST.length)

function print(scenarios: readonly Scenario[], results: ReadonlyMap<Scenario, Result | Error>): boolean {
  const broken: string[] = []
  const rows: (string | number)[][] = []
  for (const scenario of scenarios) {
    const result = results.get(scenario)!
    if (result instanceof Error) {
      broken.push(`${scenario.fault}: did not run: ${result.stack}`)
      continue
    }
    const { fault, injected, events, acknowledged, lost, duplicates, deadLetters, seconds } = result
    rows.push([
      fault,
      injected,
      events,
      acknowledged,
      lost.length,
      duplicates.length,
      deadLetters.length,
      Math.round(seconds)
    ])
    broken.push(...result.broken.map((what) => `${fault}: ${what}`))
  }
  console.log(
    formatTable(
      [
        'fault',
        'injected',
        'events',
        'acknowledged',
        'lost',
        'duplicated effects',
        'dead-lettered',
        'seconds'
      ],
      rows
    )
  )
  if (broken.length > 0) console.log(`\n${broken.join('\n')}`)
  const held = broken.length === 0
  console.log(
    held
      ? `\nEvery promise held in all ${rows.length} runs.`
      : `\n${broken.length} times a promise was broken.`
  )
  return held
}

if (values.help) console.log(USAGE)
else {
  const scenarios = chosen()
  const startedAt = performance.now()
  const held = print(scenarios, await runAll(scenarios))
  console.log(`It took ${Math.round((performance.now() - startedAt) / 1000)} s.`)
  process.exit(held ? 0 : 1)
}
