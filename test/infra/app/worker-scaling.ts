import fc from 'fast-check'
import type { Test } from 'tap'
import { type Conditions, type Load, simulate, turns } from '../../support/scaling.ts'
import type { Synthesis } from '../../support/templates.ts'

const WORKER = 'ServicesWorker'
const HOUR = 60

/** Delay of metrics and start of tasks, in minutes, up to more than AWS documents. */
const conditions = fc.record({ lag: fc.integer({ min: 1, max: 4 }), start: fc.integer({ min: 1, max: 3 }) })

const events = fc.record({
  serviceSeconds: fc.constantFrom(0.3, 1, 5, 30),
  cpuMs: fc.constantFrom(1, 6, 20)
})

export function workerScaling(t: Test, { plain, bespoke }: Record<string, Synthesis>) {
  const { size, concurrency, maximumTasks, backlogPerTask } = plain!.settings.worker
  const vcpu = size.cpu / 1024
  const run = (synthesis: Synthesis, load: Load, options: Partial<Conditions>) =>
    simulate(synthesis.listener, WORKER, load, {
      minutes: 8 * HOUR,
      lag: 2,
      start: 2,
      vcpu,
      concurrency,
      initialTasks: 1,
      ...options
    })

  /** Messages a minute that one task can process. */
  const perTask = ({ serviceSeconds, cpuMs }: Pick<Load, 'serviceSeconds' | 'cpuMs'>) =>
    60 * Math.min(concurrency / serviceSeconds, (vcpu * 1000) / cpuMs)

  t.test('under a steady load the number of tasks settles and is enough', async (t) => {
    fc.assert(
      fc.property(
        conditions,
        events,
        fc.double({ min: 0.1, max: 12, noNaN: true }),
        (times, event, tasks) => {
          const rate = tasks * perTask(event)
          const series = run(plain!, { ...event, arrivals: () => rate }, times)
          const settled = series.slice(3 * HOUR)
          const about = JSON.stringify({ times, event, tasks, series: [...new Set(settled)] })
          t.equal(new Set(settled).size, 1, about)
          t.ok(settled[0]! >= Math.min(maximumTasks, Math.ceil(tasks)), about)
          t.ok(settled[0]! <= Math.min(maximumTasks, Math.ceil(tasks / 0.5) + 2), `not too many: ${about}`)
        }
      ),
      {
        numRuns: 30,
        // 20 tasks of little CPU each became one
        examples: [[{ lag: 4, start: 2 }, { serviceSeconds: 0.3, cpuMs: 6 }, 1.354]]
      }
    )
  })

  t.test('a burst adds tasks once and removes them once', async (t) => {
    fc.assert(
      fc.property(conditions, events, fc.integer({ min: 1, max: 50_000 }), (times, event, messages) => {
        const arrivals = (minute: number) => (minute === 10 ? messages : 0)
        const series = run(plain!, { ...event, arrivals }, { ...times, minutes: 24 * HOUR })
        const about = JSON.stringify({ times, event, messages, series: [...new Set(series)] })
        t.ok(turns(series) <= 1, about)
        t.equal(series.at(-1), 1, about)
        const seconds = (60 * messages) / perTask(event)
        if (messages < 0.9 * backlogPerTask && seconds < 60) t.equal(Math.max(...series), 1, about)
      }),
      { numRuns: 30 }
    )
  })

  t.test('when a load stops, tasks go to the minimum within an hour, and none is added', async (t) => {
    fc.assert(
      fc.property(
        conditions,
        events,
        fc.double({ min: 0.1, max: 12, noNaN: true }),
        (times, event, tasks) => {
          const rate = tasks * perTask(event)
          const stop = 4 * HOUR
          const series = run(plain!, { ...event, arrivals: (minute) => (minute < stop ? rate : 0) }, times)
          const after = series.slice(stop)
          t.ok(after.every((value, index) => index === 0 || value <= after[index - 1]!))
          t.equal(after[HOUR], 1)
        }
      ),
      { numRuns: 30 }
    )
  })

  t.test('the messages of one asset, and retries, add no tasks', async (t) => {
    const event = { serviceSeconds: 1, cpuMs: 6 }
    const retries = run(plain!, { ...event, arrivals: () => 1, retrying: 5000 }, {})
    t.strictSame([...new Set(retries)], [1])
    const arrivals = (minute: number) => (minute === 10 ? 0.9 * backlogPerTask : 0)
    t.strictSame([...new Set(run(plain!, { ...event, arrivals, isOneAsset: true }, {}))], [1])
  })

  t.test('from zero, a message starts one task, however late the metrics are', async (t) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 40 }),
        (lag, start, messages) => {
          const load = {
            serviceSeconds: 1,
            cpuMs: 6,
            arrivals: (minute: number) => (minute === 20 ? messages : 0)
          }
          const series = run(bespoke!, load, { lag, start, initialTasks: 0 })
          const about = JSON.stringify({ lag, start, messages })
          t.equal(Math.max(...series), 1, about)
          t.ok(turns(series) <= 1, about)
          t.equal(series.at(-1), 0, `and it stops again: ${about}`)
        }
      ),
      { numRuns: 15 }
    )
  })
}
