import t, { type Test } from 'tap'
import { runScenario } from './chaos/run-scenario.ts'
import type { Scenario } from './chaos/scenario.ts'
import { SCENARIOS, webKilled, workerKilled } from './chaos/scenarios.ts'

/** The short form of `npm run test:chaos`: fewer faults, and fewer events. */
const EVENTS = 32

/** A killed worker's messages come again sooner than after 60 s, and later than any handler takes. */
const VISIBILITY_SECONDS = 6

const holds =
  (scenario: Scenario, visibilitySeconds?: number) =>
  async (t: Test): Promise<void> => {
    const { broken, events, acknowledged, lost } = await runScenario(scenario, {
      events: EVENTS,
      ...(visibilitySeconds !== undefined && { visibilitySeconds })
    })
    t.strictSame(broken, [], 'every promise held')
    t.ok(events >= EVENTS)
    t.equal(acknowledged, events)
    t.strictSame(lost, [])
  }

const worker = workerKilled([0.2])
const web = webKilled([0.3])
const bothKilled: Scenario = {
  ...worker,
  fault: 'worker and web killed',
  strike: async (chaos) => {
    await Promise.all([worker.strike?.(chaos), web.strike?.(chaos)])
  }
}
const poisonThrice: Scenario = {
  ...SCENARIOS.poison,
  fault: 'poison among good events, all delivered three times',
  load: { ...SCENARIOS.poison.load, ...SCENARIOS.deliveredThrice.load },
  forgets: true
}

// side by side: each has a system of its own, and most of what it does is wait
t.jobs = 2

t.test(
  'what was acknowledged is processed, in order, though worker and web are killed under load',
  { buffered: true },
  holds(bothKilled, VISIBILITY_SECONDS)
)
t.test(
  'delivered three times, good events are done once and without delay, poison is put aside with its reason',
  { buffered: true },
  holds(poisonThrice)
)
