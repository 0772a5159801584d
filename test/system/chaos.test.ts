import t, { type Test } from 'tap'
import { runScenario } from './chaos/run-scenario.ts'
import type { Scenario } from './chaos/scenario.ts'
import { SCENARIOS, webKilled, workerKilled } from './chaos/scenarios.ts'

/** Short form of `npm run test:chaos`: fewer faults and fewer events. */
const EVENTS = 32

/** Visibility timeout: shorter than 60 s, so that the test ends sooner, and longer than any handler takes. */
const VISIBILITY_SECONDS = 6

const holds =
  (scenario: Scenario, visibilitySeconds?: number) =>
  async (t: Test): Promise<void> => {
    const { broken, events, acknowledged, lost } = await runScenario(scenario, {
      events: EVENTS,
      ...(visibilitySeconds !== undefined && { visibilitySeconds })
    })
    t.strictSame(broken, [], 'no broken guarantee')
    t.ok(events >= EVENTS)
    t.equal(acknowledged, events)
    t.strictSame(lost, [])
  }

const worker = workerKilled([0.2])
const web = webKilled([0.3])
const bothKilled: Scenario = {
  ...worker,
  fault: 'worker and web killed',
  inject: async (chaos) => {
    await Promise.all([worker.inject?.(chaos), web.inject?.(chaos)])
  }
}
const poisonThrice: Scenario = {
  ...SCENARIOS.poison,
  fault: 'poison messages among good ones, all delivered three times',
  load: { ...SCENARIOS.poison.load, ...SCENARIOS.deliveredThrice.load },
  forgets: true
}

// in parallel: each has a system of its own and mostly waits
t.jobs = 2

t.test(
  'every acknowledged event is processed in order, although worker and web are killed under load',
  { buffered: true },
  holds(bothKilled, VISIBILITY_SECONDS)
)
t.test(
  'with triple deliveries, good events run once without delay, and poison is dead-lettered with its reason',
  { buffered: true },
  holds(poisonThrice)
)
