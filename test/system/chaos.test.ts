import t, { type Test } from 'tap'
import { runScenario, type Scenario } from './chaos/chaos.ts'
import { SCENARIOS, webKilled, workerKilled } from './chaos/scenarios.ts'

/** The short form of `npm run test:chaos`: fewer faults, and fewer events. */
const EVENTS = 60

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

// side by side: each has a system of its own, and most of what it does is wait
t.jobs = 2
const side = { buffered: true }

t.test(
  'what was acknowledged is processed in order, with a worker killed under load',
  side,
  holds(workerKilled([0.2]), VISIBILITY_SECONDS)
)
t.test(
  'what was acknowledged is processed in order and once, with web killed in mid-burst',
  side,
  holds(webKilled([0.3]))
)
t.test(
  'each processor does once what is delivered three times, though SQS has forgotten',
  side,
  holds(SCENARIOS.deliveredThrice)
)
t.test('poison is put aside with its reason, and delays no good event', side, holds(SCENARIOS.poison))
